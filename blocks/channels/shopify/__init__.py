"""Shopify's Admin GraphQL: stock of all locations and orders, and the level of one location."""

from blocks.channels.shopify.admin import RATES, ShopifyAccess
from blocks.channels.shopify.client import ShopifyClient
from blocks.channels.shopify_documents import VERSION

__all__ = ["PINNED", "RATES", "ShopifyAccess", "ShopifyClient"]

PINNED = {"admin": VERSION}
