"""eBay's Inventory, Fulfillment and Developer Analytics APIs over one seller's account."""

from dataclasses import dataclass
from typing import Any

from starlette.routing import Route

from examples.marketplace.ebay import inventory, limits, login, orders
from examples.marketplace.ebay.operation import served
from examples.marketplace.market import Market

__all__ = ["CLIENT", "Ebay", "api", "openapi"]

CLIENT = login.CLIENT
PARTS = (inventory, orders, limits)
OPERATIONS = tuple(one for part in PARTS for one in part.OPERATIONS)


@dataclass
class Ebay:
    """Every SKU is an inventory item with one published offer."""

    market: Market

    def routes(self) -> list[Route]:
        return [login.route(self.market), *(served(self.market, one) for one in OPERATIONS)]


def api(market: Market) -> Ebay:
    """Tokens live two hours, unless the market says otherwise."""
    market.account.numbered = _numbered
    if market.token_seconds == Market.token_seconds:
        market.token_seconds = login.TOKEN_SECONDS
    return Ebay(market)


def openapi() -> dict[str, Any]:
    """Of what is simulated, OpenAPI 3."""
    paths = {one.path: {one.method.lower(): one.described()} for one in OPERATIONS}
    return {
        "openapi": "3.0.3",
        "info": {"title": "eBay, simulated", "version": "v1"},
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}],
    }


def _numbered(count: int) -> str:
    return f"{count % 89 + 10:02d}-{count // 100_000:05d}-{count % 100_000:05d}"
