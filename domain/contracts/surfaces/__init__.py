"""What our clients use of every channel's APIs, by the name that ``shop.yaml`` knows it under."""

from collections.abc import Mapping

from domain.contracts.settings import SurfaceName
from domain.contracts.surface import Surface
from domain.contracts.surfaces import amazon, ebay, magento, shopee, shopify

SURFACES: Mapping[SurfaceName, Surface] = {
    "amazon-fba-inventory": amazon.FBA_INVENTORY,
    "amazon-listings": amazon.LISTINGS,
    "amazon-orders": amazon.ORDERS,
    "ebay-analytics": ebay.ANALYTICS,
    "ebay-fulfillment": ebay.FULFILLMENT,
    "ebay-inventory": ebay.INVENTORY,
    "magento": magento.REST,
    "shopee": shopee.OPEN_PLATFORM,
    "shopify": shopify.ADMIN,
}


def of_channel(channel: str) -> tuple[Surface, ...]:
    """Every API of a channel that is used."""
    return tuple(surface for surface in SURFACES.values() if surface.channel == channel)
