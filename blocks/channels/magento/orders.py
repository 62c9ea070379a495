"""Orders: what was bought and for how much, nothing of the buyer."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from blocks.channels.magento.api import PINNED, Rest, Search
from blocks.channels.reading import Tally
from domain.channel import Line, Order, Progress

ITEM = "item_id,parent_item_id,product_type,sku,qty_ordered,qty_shipped"
FIELDS = (
    f"increment_id,created_at,updated_at,state,status,order_currency_code,grand_total,items[{ITEM}]"
)
PROGRESS: dict[str, Progress] = {
    "new": "pending",
    "pending_payment": "pending",
    "payment_review": "pending",
    "holded": "pending",
    "processing": "open",
    "complete": "shipped",
    "canceled": "cancelled",
}


def rows(rest: Rest, since: datetime, tally: Tally) -> Iterator[Order]:
    """Changed at or after ``since``, in the order they were made.

    There is no end to the window: an order that changes meanwhile would leave it, and the page with
    it would close up.
    """
    tally.pinned = PINNED
    where = (("updated_at", "gteq", f"{since.astimezone(UTC):%Y-%m-%d %H:%M:%S}"),)
    search = Search("orders", "/orders", where, "entity_id", "increment_id", FIELDS)
    return map(_row, rest.found(search, tally))


def progress(state: str, items: list[Mapping[str, Any]]) -> Progress:
    """*closed* is paid back in full: before anything was shipped, or afterwards."""
    if state == "closed":
        shipped = any(item.get("qty_shipped") for item in items)
        return "shipped" if shipped else "cancelled"
    return PROGRESS.get(state, "open")


def _row(found: Mapping[str, Any]) -> Order:
    items = found["items"]
    return Order(
        found["increment_id"],
        _utc(found["created_at"]),
        _utc(found["updated_at"]),
        found["status"],
        found["order_currency_code"],
        Decimal(found["grand_total"]),
        tuple(Line(item["sku"], int(item["qty_ordered"])) for item in items if _sold(item, items)),
        progress(found["state"], items),
    )


def _sold(item: Mapping[str, Any], items: list[Mapping[str, Any]]) -> bool:
    """A bundle is sold by its parts; a configurable product is sold itself, as the part chosen."""
    kinds = {one["item_id"]: one.get("product_type") for one in items}
    parent = kinds.get(item.get("parent_item_id"))
    return item.get("product_type") != "bundle" and parent in (None, "bundle")


def _utc(text: str) -> datetime:
    """Magento keeps its times in UTC, without saying so."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
