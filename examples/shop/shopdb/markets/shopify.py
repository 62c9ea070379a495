"""Shopify's Admin GraphQL API, one location."""

import uuid
from datetime import UTC, datetime
from decimal import Decimal

from shopdb.markets.account import Account, chunks

SKUS_AT_ONCE = 40
GRAPHQL = "/admin/api/2026-10/graphql.json"
UNPAID = ("PENDING", "EXPIRED", "VOIDED")

ORDERS = """
query Orders($search: String!, $after: String) {
  orders(first: 35, after: $after, query: $search, sortKey: UPDATED_AT) {
    pageInfo { hasNextPage endCursor }
    edges { node {
      id createdAt cancelledAt displayFinancialStatus displayFulfillmentStatus
      totalPriceSet { shopMoney { amount currencyCode } }
      lineItems(first: 20) { pageInfo { hasNextPage } edges { node { sku quantity } } }
    } }
  }
}
"""
STOCK = """
query Stock($search: String!) {
  inventoryItems(first: 40, query: $search) { edges { node {
    id sku
    inventoryLevels(first: 5) { edges { node {
      location { id } quantities(names: ["available"]) { quantity }
    } } }
  } } }
}
"""
SET = """
mutation Set($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) { userErrors { message } }
}
"""


class Shopify(Account):
    """A level is compared and set: one that somebody bought from meanwhile is refused."""

    def __init__(self, endpoint, location_id, **credentials):
        super().__init__(endpoint)
        self._location = location_id
        self._credentials = credentials

    def orders(self, since):
        watermark = datetime.now(UTC)
        search = f"updated_at:>='{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}'"
        found, after = [], None
        while True:
            page = self.told(ORDERS, search=search, after=after)["orders"]
            found += [order_of(node) for node in nodes(page) if paid(node)]
            if not page["pageInfo"]["hasNextPage"]:
                return found, watermark.isoformat()
            after = page["pageInfo"]["endCursor"]

    def stock(self, skus):
        return {sku: here for sku, (_, here) in self.items(skus).items()}

    def set_stock(self, levels):
        self.change(self.items(levels), levels)

    def raise_stock(self, units):
        items = self.items(units)
        levels = {sku: items[sku][1] + more for sku, more in units.items()}
        self.change(items, levels)
        return levels

    def change(self, items, levels):
        """``levels`` where what is shown is still what ``items`` say."""
        quantities = [
            {
                "inventoryItemId": items[sku][0],
                "locationId": self._location,
                "quantity": level,
                "changeFromQuantity": items[sku][1],
            }
            for sku, level in levels.items()
        ]
        if quantities:
            wanted = {"name": "available", "reason": "correction", "quantities": quantities}
            self.told(SET, input=wanted, key=str(uuid.uuid4()))

    def items(self, skus):
        """{sku: (its id, units at our location)}."""
        found = []
        for some in chunks(skus, SKUS_AT_ONCE):
            search = " OR ".join(f"sku:'{sku}'" for sku in some)
            found += nodes(self.told(STOCK, search=search)["inventoryItems"])
        return {node["sku"]: (node["id"], self.here(node)) for node in found}

    def here(self, node):
        levels = nodes(node["inventoryLevels"])
        (level,) = (one for one in levels if one["location"]["id"] == self._location)
        return level["quantities"][0]["quantity"]

    def told(self, document, **variables):
        """The answer's data; errors come in an answer of 200."""
        body = {"query": document, "variables": variables}
        headers = {"X-Shopify-Access-Token": self.token()}
        answer = self.asked("POST", GRAPHQL, json=body, headers=headers)
        errors = answer.get("errors") or answer["data"].get("inventorySetQuantities", {}).get(
            "userErrors"
        )
        if errors:
            raise OSError(f"Shopify says {errors[0]['message']}")
        return answer["data"]

    def granted(self):
        form = {"grant_type": "client_credentials", **self._credentials}
        answer = self.asked("POST", "/admin/oauth/access_token", data=form)
        return answer["access_token"], answer["expires_in"]


def nodes(connection):
    return [edge["node"] for edge in connection["edges"]]


def paid(node):
    return node["displayFinancialStatus"] not in UNPAID


def order_of(node):
    total = node["totalPriceSet"]["shopMoney"]
    if node["lineItems"]["pageInfo"]["hasNextPage"]:
        raise OSError(f"order {node['id']} has more than 20 lines")
    return {
        "order_id": node["id"],
        "currency": total["currencyCode"],
        "total": Decimal(total["amount"]),
        "placed_at": node["createdAt"],
        "status": f"{node['displayFinancialStatus']} {node['displayFulfillmentStatus']}",
        "cancelled": node["cancelledAt"] is not None,
        "shipped": node["displayFulfillmentStatus"] == "FULFILLED",
        "lines": [(line["sku"], line["quantity"]) for line in nodes(node["lineItems"])],
    }
