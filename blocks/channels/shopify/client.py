"""One shop: stock of all locations and orders, by pages or in bulk, and levels set at one."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from blocks.channels import shopify_documents as documents
from blocks.channels.calls import Budget
from blocks.channels.reading import Incomplete, Reading, Tally
from blocks.channels.shopify.admin import POINTS, RATES, Admin, ShopifyAccess
from blocks.channels.shopify.bulk import Bulk
from blocks.channels.shopify.pages import Pages
from blocks.channels.shopify.push import Push
from blocks.channels.shopify.rows import order, stock_row
from domain.channel import Order, Pace, Pushed, Quota, StockRow
from domain.errors import Unavailable


class ShopifyClient:
    """A ChannelClient."""

    def __init__(
        self, access: ShopifyAccess, budget: Budget, wait_seconds: float = 60,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        pause: Callable[[float], None] = time.sleep,
    ) -> None:  # fmt: skip
        self._admin = Admin(access, budget, wait_seconds, now, pause)
        self._pages = Pages(self._admin)
        self._bulk = Bulk(self._admin, now, pause)
        self._push = Push(self._admin, self._pages, access.location_id, now)
        self._bulk_rows = access.bulk_rows
        self._now = now

    @property
    def pace(self) -> Pace:
        return Pace(RATES[POINTS], 10)

    def stock(self, skus: Sequence[str] = ()) -> Reading[StockRow]:
        """The sum of all locations. A variant without a SKU is passed over."""
        return Reading(lambda tally: self._stock(skus, tally), self._now)

    def orders_since(self, since: datetime) -> Reading[Order]:
        """Up to now, so that those that come while reading do not belong to the count.

        Shopify keeps whole seconds, and tells the last 60 days to an app without a scope for more.
        """
        until = self._now() + timedelta(seconds=1)
        search = f"updated_at:>='{_text(since)}' AND updated_at:<='{_text(until)}'"
        return Reading(lambda tally: self._orders(search, tally), self._now)

    def quota(self) -> Quota:
        try:
            self._admin.ask(documents.QUOTA, {}, Tally(self._now()))
        except Incomplete as error:
            raise Unavailable(str(error)) from error
        return self._admin.quota()

    def push(self, levels: Mapping[str, int]) -> Pushed:
        """Sets at the account's location what the other locations lack to the level."""
        return self._push.levels(levels)

    def _stock(self, skus: Sequence[str], tally: Tally) -> Iterator[StockRow]:
        for item in self._pages.items(skus, tally) if skus else self._items(tally):
            if item["sku"]:
                yield stock_row(item)
            elif tally.reported is not None:
                tally.reported -= 1

    def _items(self, tally: Tally) -> Iterator[dict[str, Any]]:
        """Shopify counts no items, but each belongs to one variant."""
        found = self._admin.ask(documents.COUNT_STOCK, {}, tally)["productVariantsCount"]
        if found["count"] > self._bulk_rows:
            return self._bulk.nodes(documents.STOCK_IN_BULK, tally)
        tally.reported = found["count"]
        return self._pages.nodes("inventoryItems", documents.STOCK, {}, tally)

    def _orders(self, search: str, tally: Tally) -> Iterator[Order]:
        query = {"query": search}
        found = self._admin.ask(documents.COUNT_ORDERS, query, tally)["ordersCount"]
        if found["count"] > self._bulk_rows:
            document = documents.ORDERS_IN_BULK.replace("SEARCH", search)
            return map(order, self._bulk.nodes(document, tally))
        tally.reported = found["count"]
        return map(order, self._pages.nodes("orders", documents.ORDERS, query, tally))


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
