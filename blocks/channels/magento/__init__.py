"""Magento (Adobe Commerce) as a channel: one website's salable stock and its orders, over REST."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from blocks.channels.calls import Budget
from blocks.channels.magento import orders, stock
from blocks.channels.magento.api import MOST_ENTITIES, PINNED, RATES, MagentoAccess, Rest
from blocks.channels.reading import Incomplete, Reading, Tally, batches
from domain.channel import Order, Pace, Pushed, Quota, StockRow

__all__ = ["PINNED", "RATES", "MagentoAccess", "MagentoClient"]


class MagentoClient:
    """A ChannelClient for one website of one Magento."""

    def __init__(
        self, access: MagentoAccess, budget: Budget, wait_seconds: float = 60,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        pause: Callable[[float], None] = time.sleep,
    ) -> None:  # fmt: skip
        self._rest = Rest(access, budget, wait_seconds, now, pause)
        self._now = now

    @property
    def pace(self) -> Pace:
        return Pace(RATES["stock"], 100)

    def stock(self, skus: Sequence[str] = ()) -> Reading[StockRow]:
        """A SKU that is not assigned to the website's stock has no row."""
        return Reading(lambda tally: stock.rows(self._rest, skus, tally), self._now)

    def orders_since(self, since: datetime) -> Reading[Order]:
        """To the second: Magento keeps no less."""
        return Reading(lambda tally: orders.rows(self._rest, since, tally), self._now)

    def quota(self) -> Quota:
        """Magento has none; this is our own for orders."""
        rate = RATES["orders"]
        return Quota(rate.burst, rate.burst, rate.burst / rate.per_second)

    def push(self, levels: Mapping[str, int]) -> Pushed:
        """Sets the units of ``access.source`` so that as many as ``levels`` says are salable.

        Magento cannot set what is salable itself, so an order that is shipped between reading and
        writing comes back as stock; the next push puts that right.
        """
        tally, rest = Tally(self._now()), ""
        said: dict[str, str] = {}
        try:
            for some in batches(tuple(levels), MOST_ENTITIES):
                said |= stock.refusals(self._rest, {sku: levels[sku] for sku in some}, tally)
        except Incomplete as cut_short:
            rest = str(cut_short)
        refused = {sku: why for sku in levels if (why := said.get(sku, rest))}
        return Pushed({sku: levels[sku] for sku in levels if sku not in refused}, refused)
