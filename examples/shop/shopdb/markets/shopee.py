"""Shopee's Open Platform v2: every call is signed, errors come in answers of 200 as well."""

import hashlib
import hmac
import time
from datetime import UTC, datetime
from decimal import Decimal

from shopdb import connect
from shopdb.markets.account import Account, chunks

RANGE_SECONDS = 15 * 86_400
PAGE, AT_ONCE = 100, 50
TOKEN = "/api/v2/auth/access_token/get"
ORDERS, ORDER = "/api/v2/order/get_order_list", "/api/v2/order/get_order_detail"
ITEMS, ITEM = "/api/v2/product/get_item_list", "/api/v2/product/get_item_base_info"
MODELS, UPDATE = "/api/v2/product/get_model_list", "/api/v2/product/update_stock"
UNPAID = ("UNPAID", "PENDING")
SHIPPED = ("SHIPPED", "TO_CONFIRM_RECEIVE", "TO_RETURN", "COMPLETED")


class Shopee(Account):
    """One shop that has let the app in; the successors of ``refresh_token`` are in the database."""

    def __init__(self, endpoint, partner_id, partner_key, shop_id, refresh_token):
        super().__init__(endpoint)
        self._partner, self._key, self._shop = partner_id, partner_key, shop_id
        self._refresh_token = refresh_token

    def orders(self, since):
        watermark = datetime.now(UTC)
        found, end = [], int(watermark.timestamp())
        for begin in range(int(since.timestamp()), end + 1, RANGE_SECONDS):
            for some in chunks(self.changed(begin, min(begin + RANGE_SECONDS - 1, end)), AT_ONCE):
                fields = {"response_optional_fields": "item_list,total_amount"}
                page = self.told("GET", ORDER, {"order_sn_list": ",".join(some), **fields})
                found += [one for one in page["order_list"] if one["order_status"] not in UNPAID]
        return [order_of(one) for one in found], watermark.isoformat()

    def changed(self, begin, end):
        """The numbers of the orders that were changed in a range."""
        found, page = [], {"more": True, "next_cursor": ""}
        window = {"time_range_field": "update_time", "time_from": begin, "time_to": end}
        while page["more"]:
            asked = {**window, "page_size": PAGE, "cursor": page["next_cursor"]}
            page = self.told("GET", ORDERS, asked)
            found += [one["order_sn"] for one in page["order_list"]]
        return found

    def stock(self, skus):
        places = self.places()
        return {sku: places[sku][2] for sku in skus}

    def set_stock(self, levels):
        places = self.places()
        for sku, level in levels.items():
            item, model, _ = places[sku]
            stock = [{"model_id": model, "seller_stock": [{"stock": level}]}]
            answer = self.told("POST", UPDATE, json={"item_id": item, "stock_list": stock})
            for failure in answer["failure_list"]:
                raise OSError(f"Shopee says {failure['failed_reason']} of {sku}")

    def places(self):
        """{sku: (item, model, units that can be bought)}; model 0 is the item itself."""
        found = {}
        for some in chunks(self.items(), AT_ONCE):
            listed = self.told("GET", ITEM, {"item_id_list": ",".join(some)})["item_list"]
            for item in listed:
                for model in self.models(item) if item["has_model"] else [item]:
                    sku = model.get("model_sku") or item["item_sku"]
                    units = model["stock_info_v2"]["summary_info"]["total_available_stock"]
                    found[sku] = (item["item_id"], model.get("model_id", 0), units)
        return found

    def items(self):
        found, page = [], {"has_next_page": True, "next_offset": 0}
        while page["has_next_page"]:
            asked = {"offset": page["next_offset"], "page_size": PAGE, "item_status": "NORMAL"}
            page = self.told("GET", ITEMS, asked)
            found += [str(one["item_id"]) for one in page["item"]]
        return found

    def models(self, item):
        return self.told("GET", MODELS, {"item_id": item["item_id"]})["model"]

    def told(self, method, path, query=None, **content):
        """The answer's ``response``, of a call for the shop."""
        signed = self.signed(path, {"access_token": self.token(), "shop_id": self._shop})
        answer = self.asked(method, path, params={**(query or {}), **signed}, **content)
        return self.good(path, answer)["response"]

    def good(self, path, answer):
        if answer["error"]:
            raise OSError(f"{path} answered {answer['error']}")
        return answer

    def signed(self, path, of_shop):
        moment = str(int(time.time()))
        base = "".join((self._partner, path, moment, *of_shop.values()))
        sign = hmac.new(self._key.encode(), base.encode(), hashlib.sha256).hexdigest()
        return {"partner_id": self._partner, "timestamp": moment, "sign": sign, **of_shop}

    def granted(self):
        """A refresh token is good for one use: its successor is kept, for whoever comes next."""
        with connect() as connection:
            kept = connection.execute(
                "INSERT INTO refresh_tokens (account, token) VALUES (%s, %s) ON CONFLICT (account)"
                " DO UPDATE SET token = refresh_tokens.token RETURNING token",
                (self._shop, self._refresh_token),
            ).fetchone()
            answer = self.refreshed(kept["token"])
            connection.execute(
                "UPDATE refresh_tokens SET token = %s WHERE account = %s",
                (answer["refresh_token"], self._shop),
            )
        return answer["access_token"], answer["expire_in"]

    def refreshed(self, token):
        ids = {"partner_id": int(self._partner), "shop_id": int(self._shop)}
        body = {"refresh_token": token, **ids}
        answer = self.asked("POST", TOKEN, params=self.signed(TOKEN, {}), json=body)
        return self.good(TOKEN, answer)


def order_of(order):
    status = order["order_status"]
    return {
        "order_id": order["order_sn"],
        "currency": order["currency"],
        "total": Decimal(order["total_amount"]),
        "placed_at": datetime.fromtimestamp(order["create_time"], UTC).isoformat(),
        "status": status,
        "cancelled": status == "CANCELLED",
        "shipped": status in SHIPPED,
        "lines": [
            (one["model_sku"] or one["item_sku"], one["model_quantity_purchased"])
            for one in order["item_list"]
        ],
    }
