"""Shopee's products: a list of items, what they are, their models, and the stock set at them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any

from examples.marketplace.account import Level
from examples.marketplace.market import Market
from examples.marketplace.shopee.operation import Asked, Operation, Problem, is_number, wrong

STATUSES = ("NORMAL", "BANNED", "UNLIST", "REVIEWING", "SELLER_DELETE", "SHOPEE_DELETE")
PAGE, AT_ONCE = 100, 50
MOST_ITEMS = 10**9
MOST_UNITS = 999_999


@dataclass(frozen=True)
class Item:
    """``models`` are levels by SKU; without variants there is one, of the item's own name."""

    name: str
    models: Mapping[str, Level]

    @property
    def item_id(self) -> int:
        return number_of(self.name)

    @property
    def has_model(self) -> bool:
        return self.name not in self.models

    @property
    def status(self) -> str:
        return "NORMAL" if any(one.active for one in self.models.values()) else "UNLIST"

    @property
    def update_time(self) -> int:
        return int(max(one.at for one in self.models.values()).timestamp())

    def sku_of(self, model_id: int) -> str | None:
        """Model 0 is the item itself."""
        if not self.has_model:
            return self.name if model_id == 0 else None
        return next((sku for sku in self.models if number_of(sku) == model_id), None)


def name_of(sku: str) -> str:
    """Of the item that the SKU belongs to."""
    return sku.partition("/")[0]


@lru_cache(200_000)
def number_of(name: str) -> int:
    """Always the same, never 0, and hardly ever another name's."""
    return 10**12 + int.from_bytes(sha256(name.encode()).digest()[:5])


def items(market: Market) -> dict[int, Item]:
    """In the order of their numbers."""
    models: dict[str, dict[str, Level]] = {}
    for sku, level in market.levels().items():
        models.setdefault(name_of(sku), {})[sku] = level
    found = sorted((Item(*one) for one in models.items()), key=lambda one: one.item_id)
    return {one.item_id: one for one in found}


def listed(market: Market, asked: Asked) -> dict[str, Any]:
    offset, size = asked.number("offset", 0, MOST_ITEMS), asked.number("page_size", 1, PAGE)
    wanted = asked.query.getlist("item_status")
    if not wanted or not set(wanted) <= set(STATUSES):
        raise wrong(f"item_status is {wanted}, allowed are {', '.join(STATUSES)}")
    found = [one for one in items(market).values() if one.status in wanted]
    page, following = market.page(found, offset, size)
    told = [
        {"item_id": one.item_id, "item_status": one.status, "update_time": one.update_time}
        for one in page
    ]
    body = {"item": told, "total_count": len(found), "has_next_page": following is not None}
    return body if following is None else {**body, "next_offset": following}


def described(market: Market, asked: Asked) -> dict[str, Any]:
    names = asked.listed("item_id_list", AT_ONCE)
    if not all(map(is_number, names)):
        raise wrong("item_id_list has something else than numbers")
    known = items(market)
    return {"item_list": [_item(known[int(one)]) for one in names if int(one) in known]}


def models(market: Market, asked: Asked) -> dict[str, Any]:
    item = _known(market, asked.number("item_id", 1, 10**15))
    return {"tier_variation": [], "model": [*_models(item)] if item.has_model else []}


def update(market: Market, asked: Asked) -> dict[str, Any]:
    body = asked.body if isinstance(asked.body, dict) else {}
    stock = body.get("stock_list")
    if not isinstance(stock, list) or not 1 <= len(stock) <= AT_ONCE:
        raise wrong(f"stock_list needs 1 to {AT_ONCE} entries")
    item = _known(market, body.get("item_id"))
    levels = [_level(one) for one in stock]
    taken, failed = [], []
    for model_id, units in levels:
        sku = item.sku_of(model_id)
        if sku is None or not 0 <= units <= MOST_UNITS:
            reason = "Model not found." if sku is None else f"Stock must be 0 to {MOST_UNITS}."
            failed.append({"model_id": model_id, "failed_reason": reason})
            continue
        market.account.set_stock(sku, units, market.clock())
        taken.append({"model_id": model_id, "location_id": "", "stock": units})
    return {"success_list": taken, "failure_list": failed}


def _known(market: Market, item_id: Any) -> Item:
    found = items(market).get(item_id) if type(item_id) is int else None
    if found is None:
        raise Problem("error_item_not_found", "Product is not found.")
    return found


def _level(one: Any) -> tuple[int, int]:
    """Model and units of an entry of the official shape."""
    stock = one.get("seller_stock") if isinstance(one, dict) else None
    if not isinstance(stock, list) or len(stock) != 1 or not isinstance(stock[0], dict):
        raise wrong("seller_stock needs one entry for each location")
    model_id, units = one.get("model_id", 0), stock[0].get("stock")
    if type(model_id) is not int or type(units) is not int:
        raise wrong("model_id and stock must be integers")
    return model_id, units


def _item(item: Item) -> dict[str, Any]:
    body = {
        "item_id": item.item_id,
        "item_name": item.name,
        "item_sku": item.name,
        "item_status": item.status,
        "update_time": item.update_time,
        "has_model": item.has_model,
    }
    return body if item.has_model else {**body, **_stock(item.models[item.name])}


def _models(item: Item) -> Iterator[dict[str, Any]]:
    for sku, level in item.models.items():
        yield {
            "model_id": number_of(sku),
            "model_sku": sku,
            "model_status": "MODEL_NORMAL" if level.active else "MODEL_UNAVAILABLE",
            **_stock(level),
        }


def _stock(level: Level) -> dict[str, Any]:
    """What pending orders hold is not shown: Shopee's reserved units are those of promotions."""
    return {"stock_info_v2": {
        "summary_info": {"total_reserved_stock": 0, "total_available_stock": level.fulfillable},
        "seller_stock": [{"location_id": "", "stock": level.fulfillable}],
    }}  # fmt: skip


OPERATIONS = (
    Operation("items", "GET", "/api/v2/product/get_item_list", listed),
    Operation("item", "GET", "/api/v2/product/get_item_base_info", described),
    Operation("models", "GET", "/api/v2/product/get_model_list", models),
    Operation("update", "POST", "/api/v2/product/update_stock", update),
)
