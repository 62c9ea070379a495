"""Amazon as a channel: one seller account in one marketplace, through SP-API."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from blocks.channels.amazon import inventory, listings, orders
from blocks.channels.amazon.api import PINNED, RATES, AmazonAccess, SellingPartner
from blocks.channels.calls import Budget
from blocks.channels.reading import Incomplete, Reading, Tally
from domain.channel import Order, Pace, Pushed, Quota, StockRow

__all__ = ["PINNED", "RATES", "AmazonAccess", "AmazonClient"]

NOT_OURS = "Amazon counts its own warehouse: the stock of FBA cannot be set"
NOT_LISTED = "not listed: Amazon would take the level and make half a listing of it"


class AmazonClient:
    """A ChannelClient: FBA's stock, or the merchant's own as ``access.fulfilment`` says.

    Amazon tells no total of orders and of FBA's stock: of those a page that repeats is found, a row
    that is left out shows in the comparison only.
    """

    def __init__(
        self, access: AmazonAccess, budget: Budget, wait_seconds: float = 60,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        pause: Callable[[float], None] = time.sleep,
    ) -> None:  # fmt: skip
        self._api = SellingPartner(access, budget, wait_seconds, now, pause)
        self._merchant = access.fulfilment == "merchant"
        self._now = now

    @property
    def pace(self) -> Pace:
        return Pace(RATES["listings"], 20) if self._merchant else Pace(RATES["stock"], 50)

    def stock(self, skus: Sequence[str] = ()) -> Reading[StockRow]:
        stock = listings if self._merchant else inventory
        return Reading(lambda tally: stock.rows(self._api, skus, tally), self._now)

    def orders_since(self, since: datetime) -> Reading[Order]:
        """Without the changes of the last two minutes, which Amazon does not show yet."""
        return Reading(lambda tally: orders.rows(self._api, since, tally), self._now)

    def quota(self) -> Quota:
        """Of the scarcest operation, orders; what is left of it nothing but a refusal tells."""
        rate = self._api.rates["orders"]
        return Quota(rate.burst, rate.burst, rate.burst / rate.per_second)

    def push(self, levels: Mapping[str, int]) -> Pushed:
        """The merchant's listings, one call each; taken means accepted for processing."""
        if not self._merchant:
            return Pushed({}, dict.fromkeys(levels, NOT_OURS))
        tally, answers, rest = Tally(self._now()), {}, NOT_LISTED
        try:
            for row in listings.rows(self._api, tuple(levels), tally):
                answers[row.sku] = listings.refusal(self._api, row.sku, levels[row.sku], tally)
        except Incomplete as cut_short:
            rest = str(cut_short)
        said = {sku: answers.get(sku, rest) for sku in levels}
        taken = {sku: levels[sku] for sku, why in said.items() if not why}
        return Pushed(taken, {sku: why for sku, why in said.items() if why})
