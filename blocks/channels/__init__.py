"""Channels: what every marketplace account can be asked."""

from datetime import datetime
from typing import Protocol

from domain.channel import OrderSnapshot, Quota, StockSnapshot


class ChannelClient(Protocol):
    """Reads only. An answer that is not whole is *incomplete*, with its reason, never an exception.

    Raises BadInput for credentials that are refused, Unavailable when nobody answers at all.
    """

    def stock(self) -> StockSnapshot: ...
    def orders_since(self, since: datetime) -> OrderSnapshot: ...
    def quota(self) -> Quota: ...
