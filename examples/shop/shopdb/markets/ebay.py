"""eBay's Sell APIs: Fulfillment for orders, Inventory for stock."""

from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import parse_qsl, urlsplit

from shopdb.markets.account import Account, chunks

ORDERS = "/sell/fulfillment/v1/order"
STOCK = "/sell/inventory/v1/bulk_get_inventory_item"
SET = "/sell/inventory/v1/bulk_update_price_quantity"
SKUS_AT_ONCE = 25
UNPAID = ("PENDING", "FAILED")


class Ebay(Account):
    """One seller who has let the app in."""

    def __init__(self, endpoint, client_id, client_secret, refresh_token):
        super().__init__(endpoint)
        self._application = (client_id, client_secret)
        self._refresh_token = refresh_token

    def orders(self, since):
        watermark = datetime.now(UTC)
        window = f"lastmodifieddate:[{since.astimezone(UTC):%Y-%m-%dT%H:%M:%S.000Z}..]"
        found, query = [], {"filter": window, "limit": 200}
        while True:
            page = self.authorised("GET", ORDERS, params=query)
            found += [order_of(one) for one in page["orders"] if paid(one)]
            if not page.get("next"):
                return found, watermark.isoformat()
            query = dict(parse_qsl(urlsplit(page["next"]).query))

    def stock(self, skus):
        found = {}
        for some in chunks(skus, SKUS_AT_ONCE):
            wanted = {"requests": [{"sku": sku} for sku in some]}
            for one in self.each("POST", STOCK, wanted):
                available = one["inventoryItem"]["availability"]["shipToLocationAvailability"]
                found[one["sku"]] = available["quantity"]
        return found

    def set_stock(self, levels):
        for some in chunks(levels, SKUS_AT_ONCE):
            self.each("POST", SET, {"requests": [level_of(sku, levels[sku]) for sku in some]})

    def each(self, method, path, wanted):
        """The answers per SKU; OSError when one of them is an error."""
        answers = self.authorised(method, path, json=wanted)["responses"]
        for one in answers:
            if one["statusCode"] != 200:
                raise OSError(f"{path} answered {one['statusCode']} for {one.get('sku')}")
        return answers

    def authorised(self, method, path, **content):
        headers = {"Authorization": f"Bearer {self.token()}", "Content-Language": "en-US"}
        return self.asked(method, path, headers=headers, **content)

    def granted(self):
        form = {"grant_type": "refresh_token", "refresh_token": self._refresh_token}
        answer = self.asked("POST", "/identity/v1/oauth2/token", data=form, auth=self._application)
        return answer["access_token"], answer["expires_in"]


def level_of(sku, quantity):
    return {"sku": sku, "shipToLocationAvailability": {"quantity": quantity}}


def paid(order):
    return order["orderPaymentStatus"] not in UNPAID


def order_of(order):
    total = order["pricingSummary"]["total"]
    return {
        "order_id": order["orderId"],
        "currency": total["currency"],
        "total": Decimal(total["value"]),
        "placed_at": order["creationDate"],
        "status": f"{order['orderPaymentStatus']} {order['orderFulfillmentStatus']}",
        "cancelled": order["cancelStatus"]["cancelState"] == "CANCELED",
        "shipped": order["orderFulfillmentStatus"] == "FULFILLED",
        "lines": [(line["sku"], line["quantity"]) for line in order["lineItems"]],
    }
