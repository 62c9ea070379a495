"""Shopee's Open Platform v2 over one shop's account."""

from dataclasses import dataclass, field

from starlette.routing import Route

from examples.marketplace.market import Market
from examples.marketplace.shopee import items, login, orders
from examples.marketplace.shopee.operation import CLIENT, SHOPS_APP, App, served

__all__ = ["CLIENT", "SHOPS_APP", "Shopee", "api"]

TOKEN_SECONDS = 4 * 3600


@dataclass
class Shopee:
    """A SKU like ``TEE/RED`` is a model of the item ``TEE``, any other is an item of its own."""

    market: Market
    app: App = field(default_factory=App)

    def routes(self) -> list[Route]:
        parts = (items, orders)
        return [
            login.route(self.market),
            *(served(self.market, self.app, one) for part in parts for one in part.OPERATIONS),
        ]


def api(market: Market) -> Shopee:
    market.token_seconds = TOKEN_SECONDS
    market.account.numbered = "261124{0:07d}SN".format
    return Shopee(market)
