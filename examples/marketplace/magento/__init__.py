"""Magento's REST API over one website with one source."""

from dataclasses import dataclass

from starlette.routing import Route

from examples.marketplace.magento import login, orders, stock
from examples.marketplace.magento.operation import INTEGRATION, served
from examples.marketplace.market import Market

__all__ = ["CLIENT", "INTEGRATION", "Magento", "api"]

CLIENT = login.CLIENT
PARTS = (login, stock, orders)
ADMIN_TOKEN_SECONDS = 4 * 3600


@dataclass
class Magento:
    """As an installation is that limits inputs; ``faults.version`` "2.4.8" has its mistakes."""

    market: Market

    def routes(self) -> list[Route]:
        return [
            served(self.market, one, root)
            for part in PARTS
            for one in part.OPERATIONS
            for root in ("/rest/V1", "/rest/{store}/V1")
        ]


def api(market: Market) -> Magento:
    market.token_seconds = ADMIN_TOKEN_SECONDS
    market.account.numbered = "{0:09d}".format
    return Magento(market)
