"""Orders (2026-01-01): what was bought and for how much, nothing of the buyer."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from blocks.channels.amazon.api import PINNED, Paged, SellingPartner, iso, utc
from blocks.channels.calls import Call
from blocks.channels.reading import Tally
from domain.channel import Line, Order, Progress

PATH = "/orders/2026-01-01/orders"
PROGRESS: dict[str, Progress] = {
    "PENDING_AVAILABILITY": "pending",
    "PENDING": "pending",
    "UNSHIPPED": "open",
    "PARTIALLY_SHIPPED": "open",
    "SHIPPED": "shipped",
    "CANCELLED": "cancelled",
    "UNFULFILLABLE": "cancelled",
}


def rows(api: SellingPartner, since: datetime, tally: Tally) -> Iterator[Order]:
    """Changed at or after ``since``, in pages of 100, the most that one call brings."""
    tally.pinned = PINNED["orders"]
    query = {
        "lastUpdatedAfter": iso(since), "marketplaceIds": api.access.marketplace,
        "maxResultsPerPage": "100", "includedData": "PROCEEDS,FULFILLMENT",
    }  # fmt: skip
    call = Call("orders", "GET", PATH, query)
    for page in api.pages(Paged(call, _orders, "orderId", "paginationToken"), tally):
        yield from map(_row, _orders(page))


def _orders(page: Mapping[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = page["orders"]
    return found


def _row(found: Mapping[str, Any]) -> Order:
    status = found.get("fulfillment", {}).get("fulfillmentStatus", "")
    total = found.get("proceeds", {}).get("grandTotal")
    return Order(
        found["orderId"],
        utc(found["createdTime"]),
        utc(found["lastUpdatedTime"]),
        status,
        total["currencyCode"] if total else "",
        Decimal(total["amount"]) if total else None,
        tuple(
            Line(item["product"].get("sellerSku", ""), int(item["quantityOrdered"]))
            for item in found["orderItems"]
        ),
        PROGRESS.get(status, "open"),
    )
