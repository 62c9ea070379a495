"""Units on the shelves of the one source, and what of them is salable."""

import math
from typing import Any

from examples.marketplace.magento.operation import Asked, Operation, Problem
from examples.marketplace.magento.search import criteria
from examples.marketplace.market import Market

WEBSITE, SOURCE, STOCK = "base", "default", 1
MOST_ITEMS = 20
MOST_UNITS = 99_999_999
BUNDLE = "-SET"
"""How SKUs end that are sold as a set of others and have no stock of their own."""
COUNTING_PAGES = ("2.4.4", "2.4.5", "2.4.6", "2.4.7", "2.4.8")
"""Versions that tell the rows of a page as the total (ACSD-67089)."""
EXPORTED = ("sku", "qty", "is_salable")


def export(market: Market, asked: Asked) -> dict[str, Any]:
    if (asked.path["type"], asked.path["code"]) != ("website", WEBSITE):
        raise Problem(404, "No linked stock found")
    body = criteria(asked.query).answer(market, _products(market))
    body["items"] = [{name: item[name] for name in EXPORTED} for item in body["items"]]
    if market.faults.version in COUNTING_PAGES:
        body["total_count"] = len(body["items"])
    return body


def salable(market: Market, asked: Asked) -> int:
    """Of one SKU in one stock."""
    sku, stock = asked.path["sku"], asked.path["stock"]
    if stock != str(STOCK) or sku not in market.levels():
        raise Problem(404, "The product that was requested doesn't exist. Verify and try again.")
    return market.levels()[sku].fulfillable


def source_items(market: Market, asked: Asked) -> dict[str, Any]:
    rows = [
        {
            "sku": sku,
            "source_code": SOURCE,
            "quantity": level.fulfillable + level.reserved,
            "status": int(level.fulfillable + level.reserved > 0),
        }
        for sku, level in market.levels().items()
        if not sku.endswith(BUNDLE)
    ]
    return criteria(asked.query).answer(market, rows)


def save(market: Market, asked: Asked) -> list[Any]:
    """All of them or none."""
    items = asked.entity("sourceItems")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise Problem(400, "Invalid type of a parameter", fieldName="sourceItems")
    if len(items) > MOST_ITEMS:
        kind = "Magento\\InventoryApi\\Api\\Data\\SourceItemInterface"
        raise Problem(400, f'Maximum items of type "{kind}" is {MOST_ITEMS}')
    errors = [error for item in items for error in _errors(market, item)]
    if errors or not items:
        raise Problem(400, "Validation Failed", *errors)
    for item in items:
        reserved = market.account.last(item["sku"]).reserved
        units = math.floor(item["quantity"])
        market.account.set_stock(item["sku"], units - reserved, market.clock())
    return []


def _products(market: Market) -> list[dict[str, Any]]:
    return [
        {
            "entity_id": number,
            "type_id": "bundle" if sku.endswith(BUNDLE) else "simple",
            "sku": sku,
            "qty": level.fulfillable,
            "is_salable": level.active and level.fulfillable > 0,
        }
        for number, (sku, level) in enumerate(market.levels().items(), 1)
    ]


def _errors(market: Market, item: dict[str, Any]) -> list[str]:
    sku, quantity = item.get("sku"), item.get("quantity", "")
    found = []
    if not isinstance(sku, str) or sku not in market.account.levels:
        found.append(f"Product with SKU {sku!r} does not exist.")
    if item.get("source_code") != SOURCE:
        found.append(f"Source with code {item.get('source_code')!r} does not exist.")
    numeric = isinstance(quantity, int | float) and not isinstance(quantity, bool)
    if not (numeric and abs(quantity) <= MOST_UNITS):
        found.append('"quantity" should be numeric.')
    if item.get("status") not in (0, 1):
        found.append('"status" should be one of 0, 1.')
    return found


OPERATIONS = (
    Operation(
        "GET", "/inventory/export-stock-salable-qty/{type}/{code}",
        "Magento_InventoryApi::stock", export,
    ),
    Operation(
        "GET", "/inventory/get-product-salable-quantity/{sku:path}/{stock}",
        "Magento_InventoryApi::stock", salable,
    ),
    Operation("GET", "/inventory/source-items", "Magento_InventoryApi::source", source_items),
    Operation("POST", "/inventory/source-items", "Magento_InventoryApi::source", save),
)  # fmt: skip
