"""Amazon's SP-API over one seller's account in one marketplace."""

from dataclasses import dataclass

from starlette.routing import Route

from examples.marketplace.amazon import inventory, listings, login, orders, patches
from examples.marketplace.amazon.operation import MARKETPLACE, SELLER, served
from examples.marketplace.market import Market

__all__ = ["CLIENT", "MARKETPLACE", "SELLER", "Amazon", "api"]

CLIENT = login.CLIENT
PARTS = (orders, inventory, listings, patches)


@dataclass
class Amazon:
    """Every SKU is listed, and lies in Amazon's warehouse as well."""

    market: Market

    def routes(self) -> list[Route]:
        return [
            login.route(self.market),
            *(served(self.market, one) for part in PARTS for one in part.OPERATIONS),
        ]


def api(market: Market) -> Amazon:
    return Amazon(market)
