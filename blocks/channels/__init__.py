"""Channels: what every marketplace account can be asked, and the one thing it can be told."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from blocks.channels.reading import Reading
from domain.channel import Order, Pace, Pushed, Quota, StockRow


class ChannelClient(Protocol):
    """Rows come page by page, as a ``Reading`` that tells in the end how far it may be trusted.

    An answer that is not whole is *incomplete*, with its reason, never an exception. Raises
    BadInput for credentials that are refused, Unavailable when nobody answers at all.
    """

    @property
    def pace(self) -> Pace:
        """How fast a whole account's stock is read, by the official rates."""
        ...

    def stock(self, skus: Sequence[str] = ()) -> Reading[StockRow]:
        """Every SKU of the account, one row each; or only the ``skus`` named."""
        ...

    def orders_since(self, since: datetime) -> Reading[Order]:
        """Orders changed at or after ``since`` (aware), each as it is now."""
        ...

    def quota(self) -> Quota:
        """What may still be asked, by the channel's own word where it has one."""
        ...

    def push(self, levels: Mapping[str, int]) -> Pushed:
        """Says per SKU how many units may be sold: absolute, so that a repetition is harmless."""
        ...
