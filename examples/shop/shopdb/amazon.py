"""Amazon SP-API, as far as the shop's workers need it."""

import os
import time

import httpx

ORDERS = "/orders/2026-01-01/orders"
ADD_INVENTORY = "/fba/inventory/v1/items/inventory"
LIMIT_SECONDS = 10


class Amazon:
    """The seller's account that the AMAZON_* variables name."""

    def __init__(self):
        self.marketplace = os.environ["AMAZON_MARKETPLACE"]
        self._http = httpx.Client(base_url=os.environ["AMAZON_ENDPOINT"], timeout=LIMIT_SECONDS)
        self._token, self._until = "", 0.0

    def orders(self, since):
        """(orders updated at or after ``since``, where the next read may begin)."""
        query = {
            "lastUpdatedAfter": since.isoformat().replace("+00:00", "Z"),
            "marketplaceIds": self.marketplace,
            "includedData": "PROCEEDS,FULFILLMENT",
        }
        found = []
        while True:
            page = self._asked("GET", ORDERS, params=query)
            found += page["orders"]
            following = page.get("pagination", {}).get("nextToken")
            if not following:
                return found, page["lastUpdatedBefore"]
            query["paginationToken"] = following

    def add_inventory(self, token, sku, quantity):
        """Inbound units; the same token again adds nothing."""
        item = {"sellerSku": sku, "marketplaceId": self.marketplace, "quantity": quantity}
        headers = {"x-amzn-idempotency-token": token}
        self._asked("POST", ADD_INVENTORY, json={"inventoryItems": [item]}, headers=headers)

    def _asked(self, method, path, headers=None, **content):
        """The answer's JSON; OSError when the marketplace refuses or is away: the next pass tries."""
        try:
            headers = {**(headers or {}), "x-amz-access-token": self._access_token()}
            answer = self._http.request(method, path, headers=headers, **content)
            answer.raise_for_status()
        except httpx.HTTPError as error:
            raise OSError(f"{method} {path}: {error}") from error
        return answer.json()

    def _access_token(self):
        if time.monotonic() >= self._until:
            form = {"grant_type": "refresh_token"}
            for name in ("client_id", "client_secret", "refresh_token"):
                form[name] = os.environ[f"AMAZON_{name.upper()}"]
            answer = httpx.post(os.environ["AMAZON_TOKEN_ENDPOINT"] + "/auth/o2/token", data=form)
            answer.raise_for_status()
            self._token = answer.json()["access_token"]
            self._until = time.monotonic() + answer.json()["expires_in"] - 60
        return self._token
