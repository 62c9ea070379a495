"""Inventory items: all of them by page number, some by SKU, their totals set.

Source: https://developer.ebay.com/api-docs/sell/inventory/resources/methods
"""

from collections.abc import Mapping
from typing import Any

from examples.marketplace.account import Level
from examples.marketplace.ebay.operation import Asked, Operation, Problem, requested
from examples.marketplace.market import Market

MOST_ROWS, ROWS = 200, 25
MOST_SKUS = 25
MOST_PAGES = 1_000_000
ROOT = "/sell/inventory/v1"


def items(market: Market, asked: Asked) -> dict[str, Any]:
    """``offset`` is the number of the page, from 0."""
    size = asked.number("limit", ROWS, 1, MOST_ROWS)
    number = asked.number("offset", 0, 0, MOST_PAGES)
    rows = list(market.levels().items())
    begin = number * (size + market.faults.page_gap)
    page, following = market.page(rows, begin, size)
    found: dict[str, Any] = {
        "href": asked.following(number),
        "limit": size,
        "size": len(page),
        "total": len(rows),
        "inventoryItems": [{"sku": sku, **_item(level)} for sku, level in page],
    }
    return found | ({} if following is None else {"next": asked.following(number + 1)})


def some_items(market: Market, asked: Asked) -> dict[str, Any]:
    levels = market.levels()
    return {
        "responses": [
            {"statusCode": 200, "sku": one["sku"], "inventoryItem": _item(levels[one["sku"]])}
            if one["sku"] in levels
            else _refused(one["sku"], _unknown(one["sku"]))
            for one in requested(asked, MOST_SKUS)
        ]
    }


def set_totals(market: Market, asked: Asked) -> dict[str, Any]:
    return {"responses": [_set(market, one) for one in requested(asked, MOST_SKUS)]}


def _set(market: Market, one: Mapping[str, Any]) -> dict[str, Any]:
    given = one.get("shipToLocationAvailability")
    quantity = given.get("quantity") if isinstance(given, dict) else None
    if one["sku"] not in market.account.levels:
        return _refused(one["sku"], _unknown(one["sku"]))
    if type(quantity) is not int or quantity < 0:
        said = "Invalid value for quantity. It must be 0 or more"
        return _refused(one["sku"], Problem(400, 25709, "API_INVENTORY", said))
    market.account.set_stock(one["sku"], quantity, market.clock())
    return {"statusCode": 200, "sku": one["sku"]}


def _item(level: Level) -> dict[str, Any]:
    return {
        "availability": {"shipToLocationAvailability": {"quantity": level.fulfillable}},
        "condition": "NEW",
    }


def _unknown(sku: str) -> Problem:
    said = f"{sku} could not be found or is not available in the system."
    return Problem(404, 25702, "API_INVENTORY", said)


def _refused(sku: str, problem: Problem) -> dict[str, Any]:
    return {"statusCode": problem.status, "sku": sku, "errors": [problem.shown()]}


_PAGE = {
    "limit": {"type": "integer", "minimum": 1, "maximum": MOST_ROWS},
    "offset": {"type": "integer", "minimum": 0, "maximum": MOST_PAGES},
}


def _many(properties: Mapping[str, Any]) -> dict[str, Any]:
    one = {
        "type": "object",
        "required": ["sku", *properties],
        "properties": {"sku": {"type": "string", "minLength": 1, "maxLength": 50}, **properties},
    }
    requests = {"type": "array", "minItems": 1, "maxItems": MOST_SKUS, "items": one}
    return {"type": "object", "required": ["requests"], "properties": {"requests": requests}}


_TOTAL = {
    "shipToLocationAvailability": {
        "type": "object",
        "required": ["quantity"],
        "properties": {"quantity": {"type": "integer", "minimum": 0}},
    }
}
OPERATIONS = (
    Operation("GET", f"{ROOT}/inventory_item", "sell.inventory", items, parameters=_PAGE),
    Operation(
        "POST", f"{ROOT}/bulk_get_inventory_item", "sell.inventory", some_items, body=_many({})
    ),
    Operation(
        "POST", f"{ROOT}/bulk_update_price_quantity", "sell.inventory", set_totals,
        body=_many(_TOTAL),
    ),
)  # fmt: skip
