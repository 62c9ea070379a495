"""Amazon SP-API: Orders 2026-01-01, and units for Amazon's own warehouse (FBA)."""

from decimal import Decimal

from shopdb.markets.account import Account

ORDERS = "/orders/2026-01-01/orders"
ADD_INVENTORY = "/fba/inventory/v1/items/inventory"
UNPAID = ("PENDING", "PENDING_AVAILABILITY")
CANCELLED = ("CANCELLED", "UNFULFILLABLE")


class Amazon(Account):
    """Amazon counts its own warehouse: it is sent units, its level cannot be set."""

    counts_itself = True

    def __init__(self, endpoint, token_endpoint, marketplace, **credentials):
        super().__init__(endpoint)
        self.marketplace = marketplace
        self._login = Account(token_endpoint)
        self._credentials = credentials

    def orders(self, since):
        query = {
            "lastUpdatedAfter": since.isoformat().replace("+00:00", "Z"),
            "marketplaceIds": self.marketplace,
            "maxResultsPerPage": 100,
            "includedData": "PROCEEDS,FULFILLMENT",
        }
        found = []
        while True:
            page = self.authorised("GET", ORDERS, params=query)
            found += [order_of(one) for one in page["orders"] if status_of(one) not in UNPAID]
            following = page.get("pagination", {}).get("nextToken")
            if not following:
                return found, page["lastUpdatedBefore"]
            query["paginationToken"] = following

    def add_inventory(self, token, sku, quantity):
        """Inbound units; the same token again adds nothing."""
        item = {"sellerSku": sku, "marketplaceId": self.marketplace, "quantity": quantity}
        headers = {"x-amzn-idempotency-token": token}
        self.authorised("POST", ADD_INVENTORY, headers, json={"inventoryItems": [item]})

    def authorised(self, method, path, headers=None, **content):
        headers = {**(headers or {}), "x-amz-access-token": self.token()}
        return self.asked(method, path, headers=headers, **content)

    def granted(self):
        form = {"grant_type": "refresh_token", **self._credentials}
        answer = self._login.asked("POST", "/auth/o2/token", data=form)
        return answer["access_token"], answer["expires_in"]


def status_of(order):
    return order["fulfillment"]["fulfillmentStatus"]


def order_of(order):
    total, status = order["proceeds"]["grandTotal"], status_of(order)
    return {
        "order_id": order["orderId"],
        "currency": total["currencyCode"],
        "total": Decimal(total["amount"]),
        "placed_at": order["createdTime"],
        "status": status,
        "cancelled": status in CANCELLED,
        "shipped": status == "SHIPPED",
        "lines": [
            (item["product"]["sellerSku"], item["quantityOrdered"]) for item in order["orderItems"]
        ],
    }
