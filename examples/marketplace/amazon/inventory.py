"""FBA Inventory v1: what lies in Amazon's warehouses, and the sandbox's way to put more there."""

from typing import Any

from examples.marketplace.account import Level
from examples.marketplace.amazon.operation import (
    MARKETPLACE,
    Asked,
    Operation,
    Problem,
    opened,
    sealed,
    text,
    wrong,
)
from examples.marketplace.market import Market

PAGE = 50
TOKEN_SECONDS = 30
MOST_ADDED = 1_000_000


def summaries(market: Market, asked: Asked) -> dict[str, Any]:
    asked.place()
    kind = asked.one_of("granularityType", ("Marketplace",), "")
    if asked.query.get("granularityId") != MARKETPLACE:
        raise wrong(f"granularityId must be {MARKETPLACE}")
    detailed = asked.one_of("details", ("true", "false"), "false") == "true"
    found, scope = _found(market, asked)
    token = asked.query.get("nextToken", "")
    offset = int(opened(market, token, scope, TOKEN_SECONDS)) if token else 0
    page, following = market.page(found, offset, PAGE)
    body: dict[str, Any] = {"payload": {
        "granularity": {"granularityType": kind, "granularityId": MARKETPLACE},
        "inventorySummaries": [_summary(sku, level, detailed) for sku, level in page],
    }}  # fmt: skip
    if following is not None:
        body["pagination"] = {"nextToken": sealed(market, following, scope)}
    return body


def add(market: Market, asked: Asked) -> dict[str, Any]:
    """Sandbox only, and what Amazon's warehouse does when a shipment arrives."""
    token = asked.headers.get("x-amzn-idempotency-token", "")
    if not token:
        raise wrong("x-amzn-idempotency-token is missing")
    items = asked.body.get("inventoryItems", []) if isinstance(asked.body, dict) else None
    if not isinstance(items, list):
        raise wrong("inventoryItems is not a list")
    market.account.add(token, dict(_wanted(market, item) for item in items), market.clock())
    return {}


def _found(market: Market, asked: Asked) -> tuple[list[tuple[str, Level]], str]:
    """The summaries asked for, and which search that is."""
    since = asked.moment("startDateTime")
    levels = market.levels().items()
    if since:
        return [one for one in levels if one[1].at >= since], f"since {since}"
    named = asked.listed("sellerSkus", PAGE) or asked.query.getlist("sellerSku")[:1]
    return [one for one in levels if not named or one[0] in named], f"of {named}"


def _summary(sku: str, level: Level, detailed: bool) -> dict[str, Any]:
    details = {"inventoryDetails": {
        "fulfillableQuantity": level.fulfillable,
        "reservedQuantity": {
            "totalReservedQuantity": level.reserved,
            "pendingCustomerOrderQuantity": level.reserved,
        },
    }}  # fmt: skip
    return {
        "sellerSku": sku,
        "condition": "NewItem",
        "lastUpdatedTime": text(level.at),
        "totalQuantity": level.fulfillable + level.reserved,
        **(details if detailed else {}),
    }


def _wanted(market: Market, item: Any) -> tuple[str, int]:
    if not isinstance(item, dict) or item.get("marketplaceId") != MARKETPLACE:
        raise wrong(f"marketplaceId must be {MARKETPLACE}")
    sku, quantity = item.get("sellerSku"), item.get("quantity")
    if type(quantity) is not int or not 1 <= quantity <= MOST_ADDED:
        raise wrong(f"quantity is {quantity!r}, 1 to {MOST_ADDED} are allowed")
    if not isinstance(sku, str) or sku not in market.account.levels:
        raise Problem(404, "NotFound", f"sellerSku {sku} is not listed")
    return sku, quantity


OPERATIONS = (
    Operation("stock", "GET", "/fba/inventory/v1/summaries", 2, 2, summaries),
    Operation("add", "POST", "/fba/inventory/v1/items/inventory", 2, 2, add),
)
