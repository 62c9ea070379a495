"""Magento's (Adobe Commerce's) REST API: one store, one website, one source of stock."""

from datetime import UTC, datetime
from decimal import Decimal

from shopdb.markets.account import Account, chunks

TOKEN_SECONDS = 4 * 3600
PAGE, SKUS_AT_ONCE = 100, 20
SOURCE = "default"
SALABLE, UNITS = "inventory/export-stock-salable-qty/website/base", "inventory/source-items"
UNPAID = ("new", "pending_payment", "payment_review", "holded")
ORDER = "increment_id,created_at,state,order_currency_code,grand_total,items[sku,qty_ordered]"


class Magento(Account):
    """What can be bought is what lies there less what is reserved: only the former can be set.

    So a refill adds to what lies there, and cannot swallow a sale.
    """

    def __init__(self, endpoint, username, password, store="default"):
        super().__init__(endpoint)
        self._login = {"username": username, "password": password}
        self._root = f"/rest/{store}/V1/"

    def orders(self, since):
        watermark = datetime.now(UTC)
        changed = ("updated_at", "gteq", f"{since.astimezone(UTC):%Y-%m-%d %H:%M:%S}")
        found = self.found("orders", changed, "entity_id", ORDER)
        return [order_of(one) for one in found if one["state"] not in UNPAID], watermark.isoformat()

    def stock(self, skus):
        return self.counted(SALABLE, skus, "entity_id", "qty")

    def set_stock(self, levels):
        shown = self.stock(levels)
        self.add({sku: level - shown[sku] for sku, level in levels.items()})

    def raise_stock(self, units):
        shown = self.stock(units)
        self.add(units)
        return {sku: shown[sku] + more for sku, more in units.items()}

    def add(self, units):
        there = self.counted(UNITS, units, "sku", "quantity")
        for some in chunks(units, SKUS_AT_ONCE):
            items = [
                {
                    "sku": sku,
                    "source_code": SOURCE,
                    "quantity": there[sku] + units[sku],
                    "status": int(there[sku] + units[sku] > 0),
                }
                for sku in some
            ]
            self.authorised("POST", UNITS, json={"sourceItems": items})

    def counted(self, path, skus, order_by, field):
        return {
            one["sku"]: int(one[field])
            for some in chunks(skus, SKUS_AT_ONCE)
            for one in self.found(path, ("sku", "in", ",".join(some)), order_by, f"sku,{field}")
        }

    def found(self, path, where, order_by, fields):
        """All rows; a page past the end would repeat the last one."""
        rows, number, total = [], 0, 1
        while number * PAGE < total:
            number += 1
            criteria = searched(where, order_by, number)
            criteria["fields"] = f"items[{fields}],total_count"
            page = self.authorised("GET", path, params=criteria)
            rows += page["items"] or []
            total = page["total_count"]
        return rows

    def authorised(self, method, path, **content):
        headers = {"Authorization": f"Bearer {self.token()}"}
        return self.asked(method, self._root + path, headers=headers, **content)

    def granted(self):
        path = f"{self._root}integration/admin/token"
        return self.asked("POST", path, json=self._login), TOKEN_SECONDS


def searched(where, order_by, number):
    named = zip(("field", "conditionType", "value"), where)
    return {
        "searchCriteria[pageSize]": PAGE,
        "searchCriteria[currentPage]": number,
        "searchCriteria[sortOrders][0][field]": order_by,
        "searchCriteria[sortOrders][0][direction]": "ASC",
        **{f"searchCriteria[filterGroups][0][filters][0][{name}]": part for name, part in named},
    }


def order_of(order):
    return {
        "order_id": order["increment_id"],
        "currency": order["order_currency_code"],
        "total": Decimal(order["grand_total"]),
        "placed_at": f"{order['created_at']}Z",
        "status": order["state"],
        "cancelled": order["state"] == "canceled",
        "shipped": order["state"] == "complete",
        "lines": [(one["sku"], int(one["qty_ordered"])) for one in order["items"]],
    }
