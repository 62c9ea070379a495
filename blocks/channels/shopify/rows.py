"""What Shopify's nodes say, as rows: the same whether they came by pages or in bulk."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from domain.channel import Line, Order, Progress, StockRow

Node = Mapping[str, Any]
FOR_SALE = ("ACTIVE", "UNLISTED")
UNPAID = ("PENDING", "EXPIRED", "VOIDED")


def nodes(connection: Node) -> list[Any]:
    return [edge["node"] for edge in connection["edges"]]


def stock_row(item: Node) -> StockRow:
    """The sum of all locations, since the last change at one of them."""
    levels = nodes(item["inventoryLevels"])
    return StockRow(
        item["sku"],
        sum(units(level, "available") for level in levels),
        sum(units(level, "committed") for level in levels),
        max((time(level["updatedAt"]) for level in levels), default=None),
        any(one["product"]["status"] in FOR_SALE for one in nodes(item["variants"])),
    )


def units(level: Node, name: str) -> int:
    return sum(one["quantity"] for one in level["quantities"] if one["name"] == name)


def order(node: Node) -> Order:
    """What is left of it after edits and refunds; all of it as it was bought once cancelled.

    A cancelled order has nothing left, but its units are what went back into stock.
    """
    cancelled = node["cancelledAt"] is not None
    total = node["totalPriceSet" if cancelled else "currentTotalPriceSet"]["shopMoney"]
    return Order(
        node["id"],
        time(node["createdAt"]),
        time(node["updatedAt"]),
        f"{node['displayFinancialStatus']} {node['displayFulfillmentStatus']}",
        total["currencyCode"],
        Decimal(total["amount"]),
        tuple(_lines(nodes(node["lineItems"]), "quantity" if cancelled else "currentQuantity")),
        "cancelled" if cancelled else _progress(node),
    )


def _lines(found: Iterable[Node], name: str) -> Iterable[Line]:
    return (Line(one["sku"] or "", one[name]) for one in found if one[name])


def _progress(node: Node) -> Progress:
    if node["displayFulfillmentStatus"] == "FULFILLED":
        return "shipped"
    return "pending" if node["displayFinancialStatus"] in UNPAID else "open"


def time(text: str) -> datetime:
    return datetime.fromisoformat(text)
