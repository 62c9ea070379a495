"""Shopee as a channel: one shop, through the Open Platform v2."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from blocks.channels.calls import Budget
from blocks.channels.reading import Reading, Tally
from blocks.channels.shopee import orders
from blocks.channels.shopee.api import PINNED, RATES, OpenPlatform
from blocks.channels.shopee.items import Items
from blocks.channels.shopee.signing import ShopeeAccess
from domain.channel import Order, Pace, Pushed, Quota, StockRow

__all__ = ["PINNED", "RATES", "ShopeeAccess", "ShopeeClient"]


class ShopeeClient:
    """A ChannelClient.

    Shopee tells how many items there are, not how many orders: of orders a page that repeats is
    found, one that is left out shows in the comparison only.
    """

    def __init__(
        self, access: ShopeeAccess, budget: Budget, wait_seconds: float = 60,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        pause: Callable[[float], None] = time.sleep,
    ) -> None:  # fmt: skip
        self._api = OpenPlatform(access, budget, wait_seconds, now, pause)
        self._items = Items(self._api)
        self._now = now

    @property
    def pace(self) -> Pace:
        return Pace(RATES["item"], 50)

    def stock(self, skus: Sequence[str] = ()) -> Reading[StockRow]:
        """Named SKUs that this client has seen cost two calls or so, others a look at all items."""
        return Reading(lambda tally: self._items.rows(skus, tally), self._now)

    def orders_since(self, since: datetime) -> Reading[Order]:
        return Reading(lambda tally: orders.rows(self._api, since, tally), self._now)

    def quota(self) -> Quota:
        """Of any operation; what is left of it nothing but a refusal tells."""
        rate = RATES["orders"]
        return Quota(rate.burst, rate.burst, rate.burst / rate.per_second)

    def push(self, levels: Mapping[str, int]) -> Pushed:
        """The seller's own stock; what lies in Shopee's warehouses cannot be set."""
        said = self._items.update(levels, Tally(self._now()))
        taken = {sku: levels[sku] for sku, why in said.items() if not why}
        return Pushed(taken, {sku: why for sku, why in said.items() if why})
