"""eBay: the Inventory and Fulfillment APIs of one seller, within the app's own daily limits."""

from blocks.channels.ebay.client import PINNED, RATES, EbayClient
from blocks.channels.ebay.login import EbayAccess

__all__ = ["PINNED", "RATES", "EbayAccess", "EbayClient"]
