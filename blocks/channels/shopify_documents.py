"""Every GraphQL document sent to Shopify, with sample variables to check them against a schema.

Pages are small enough for the limit of 1,000 points a query even when every nested page is full;
the few rows with longer ones are followed by LEVELS and LINES. Documents for bulk operations take
no pages. Nothing personal is asked for.
"""

from collections.abc import Mapping
from typing import Any

VERSION = "2026-10"

_LEVEL = """
    id location { id } updatedAt quantities(names: ["available", "committed"]) { name quantity }
"""
_LEVELS = "{ pageInfo { hasNextPage endCursor } edges { node {" + _LEVEL + "} } }"
_ITEM = "id sku variants(first: 1) { edges { node { id product { status } } } }"
_STOCK = "{ pageInfo { hasNextPage endCursor } edges { node {" + _ITEM
_STOCK += "inventoryLevels(first: 5)" + _LEVELS + "} } }"

_LINE = "id sku quantity currentQuantity"
_LINES = "{ pageInfo { hasNextPage endCursor } edges { node {" + _LINE + "} } }"
_ORDER = """
    id createdAt updatedAt cancelledAt displayFinancialStatus displayFulfillmentStatus
    totalPriceSet { shopMoney { amount currencyCode } }
    currentTotalPriceSet { shopMoney { amount currencyCode } }
"""

STOCK = "query Stock($after: String) { inventoryItems(first: 40, after: $after)" + _STOCK + "}"
STOCK_OF = """
query StockOf($query: String!, $after: String) {
  inventoryItems(first: 40, after: $after, query: $query)
"""
STOCK_OF += _STOCK + "}"
LEVELS = """
query Levels($id: ID!, $after: String) {
  inventoryItem(id: $id) { inventoryLevels(first: 250, after: $after)
"""
LEVELS += _LEVELS + "} }"
COUNT_STOCK = "query CountStock { productVariantsCount(limit: null) { count precision } }"

ORDERS = """
query Orders($query: String!, $after: String) {
  orders(first: 35, after: $after, query: $query, sortKey: UPDATED_AT) {
    pageInfo { hasNextPage endCursor }
    edges { node {
"""
ORDERS += _ORDER + "lineItems(first: 20)" + _LINES + "} } } }"
LINES = """
query Lines($id: ID!, $after: String) {
  order(id: $id) { lineItems(first: 250, after: $after)
"""
LINES += _LINES + "} }"
COUNT_ORDERS = """
query CountOrders($query: String!) { ordersCount(limit: null, query: $query) { count precision } }
"""

SET_QUANTITIES = """
mutation SetQuantities($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) {
    userErrors { code field message }
  }
}
"""

STOCK_IN_BULK = "{ inventoryItems { edges { node { id sku variants { edges { node { id"
STOCK_IN_BULK += (
    " product { status } } } } inventoryLevels { edges { node {" + _LEVEL + "} } } } } } }"
)
ORDERS_IN_BULK = '{ orders(query: "SEARCH") { edges { node {' + _ORDER
ORDERS_IN_BULK += "lineItems { edges { node {" + _LINE + "} } } } } } }"
"""SEARCH stands for the search that ORDERS has as a variable: a bulk operation has none."""

RUN_BULK = """
mutation RunBulk($query: String!) {
  bulkOperationRunQuery(query: $query, groupObjects: true) {
    bulkOperation { id }
    userErrors { code field message }
  }
}
"""
"""Grouped, so that an object's children follow it and none has to be kept."""
BULK = """
query Bulk($id: ID!) {
  bulkOperation(id: $id) { status errorCode objectCount rootObjectCount url }
}
"""

QUOTA = "query Quota { shop { id } }"

SAMPLES: Mapping[str, Mapping[str, Any]] = {
    "STOCK": {"after": None},
    "STOCK_OF": {"query": "sku:'TEA-001' OR sku:'TEA-002'", "after": None},
    "LEVELS": {"id": "gid://shopify/InventoryItem/1", "after": None},
    "COUNT_STOCK": {},
    "ORDERS": {"query": "updated_at:>='2026-11-24T12:00:00Z'", "after": None},
    "LINES": {"id": "gid://shopify/Order/1", "after": None},
    "COUNT_ORDERS": {"query": "updated_at:>='2026-11-24T12:00:00Z'"},
    "SET_QUANTITIES": {
        "key": "3b0d6a5e",
        "input": {
            "name": "available",
            "reason": "correction",
            "quantities": [
                {
                    "inventoryItemId": "gid://shopify/InventoryItem/1",
                    "locationId": "gid://shopify/Location/1",
                    "quantity": 10,
                    "changeFromQuantity": 12,
                }
            ],
        },
    },
    "STOCK_IN_BULK": {},
    "ORDERS_IN_BULK": {},
    "RUN_BULK": {"query": STOCK_IN_BULK},
    "BULK": {"id": "gid://shopify/BulkOperation/1"},
    "QUOTA": {},
}
"""By the name of the constant above."""
