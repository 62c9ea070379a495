"""Orders; whoever does not name ``fields`` is sent the buyer's (invented) address as well."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from examples.marketplace.account import EPOCH, Sold
from examples.marketplace.magento.operation import Asked, Operation
from examples.marketplace.magento.search import criteria
from examples.marketplace.market import Market

STATES = {
    "pending": "pending_payment",
    "open": "processing",
    "shipped": "complete",
    "cancelled": "canceled",
}
KINDS = {"-SET": "bundle", "-VARIANT": "configurable"}
"""How SKUs end that are bought with a part: a set of another SKU, a product in a colour."""


def search(market: Market, asked: Asked) -> dict[str, Any]:
    numbers = {order_id: number for number, order_id in enumerate(market.account.orders, 1)}
    known = market.orders(EPOCH, market.clock() + timedelta(days=1))
    rows = [_row(market, sold, numbers[sold.order_id]) for sold in known]
    return criteria(asked.query).answer(market, rows)


def _row(market: Market, sold: Sold, number: int) -> dict[str, Any]:
    amount = float(market.amount(sold.total))
    return {
        "entity_id": number,
        "increment_id": sold.order_id,
        "created_at": _text(sold.at),
        "updated_at": _text(sold.updated_at),
        "state": STATES[sold.state],
        "status": STATES[sold.state],
        "order_currency_code": sold.currency,
        "grand_total": amount,
        "base_grand_total": amount,
        "customer_email": "nobody@example.com",
        "items": list(_items(sold, number * 1000)),
    }


def _items(sold: Sold, first: int) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(sold.lines):
        shipped = line.quantity if sold.state == "shipped" else 0
        kind = next((KINDS[end] for end in KINDS if line.sku.endswith(end)), "simple")
        item = {
            "item_id": first + 2 * number,
            "sku": line.sku,
            "product_type": kind,
            "qty_ordered": line.quantity,
            "qty_shipped": shipped,
            "price": float(line.price),
        }
        yield item
        if kind != "simple":
            part = {"item_id": first + 2 * number + 1, "parent_item_id": item["item_id"]}
            yield {**item, **part, "sku": line.sku.removesuffix("-SET"), "product_type": "simple"}


def _text(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


OPERATIONS = (Operation("GET", "/orders", "Magento_Sales::actions_view", search),)
