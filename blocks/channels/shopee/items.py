"""Shopee's stock: items, the models of those that have some, and the levels set at both."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from blocks.channels.calls import Call
from blocks.channels.reading import Incomplete, Tally, batches
from blocks.channels.shopee.api import OpenPlatform
from domain.channel import StockRow

LIST, BASE = "/api/v2/product/get_item_list", "/api/v2/product/get_item_base_info"
MODELS, UPDATE = "/api/v2/product/get_model_list", "/api/v2/product/update_stock"
PAGE, AT_ONCE = 100, 50
STATUSES = ("NORMAL", "UNLIST", "BANNED", "REVIEWING")
"""All that are not deleted."""
MOST_PLACES = 200_000
"""SKUs whose place is remembered, some 50 MB; others are looked for again."""
NOT_LISTED = "not listed"

Place = tuple[int, int]
"""Item and model; model 0 is the item itself."""


class Items:
    """The listings of one shop; where a SKU was seen is remembered.

    A SKU is the model's own, the item's where that is empty; a listing without any is passed over.
    """

    def __init__(self, api: OpenPlatform) -> None:
        self._api = api
        self._places: dict[str, Place] = {}

    def rows(self, skus: Sequence[str], tally: Tally) -> Iterator[StockRow]:
        """Every SKU; of ``skus`` only the items that have them, once they were seen."""
        if not skus:
            yield from self._all(tally)
            return
        missing = set(skus)
        for row in self._seen(skus, tally):
            if row.sku in missing:
                missing.discard(row.sku)
                yield row
        if missing:
            yield from (row for row in self._all(tally) if row.sku in missing)

    def update(self, levels: Mapping[str, int], tally: Tally) -> dict[str, str]:
        """Why Shopee did not take a level, "" where it did, by SKU."""
        said = self._found(levels, tally)
        by_item: dict[int, list[str]] = {}
        for sku in (sku for sku, why in said.items() if not why):
            by_item.setdefault(self._places[sku][0], []).append(sku)
        for item, skus in by_item.items():
            for some in batches(skus, AT_ONCE):
                said |= self._updated(item, {sku: levels[sku] for sku in some}, tally)
        return said

    def _found(self, levels: Mapping[str, int], tally: Tally) -> dict[str, str]:
        """Why the place of a SKU is not known, "" where it is."""
        unknown = [sku for sku in levels if sku not in self._places]
        why = NOT_LISTED
        try:
            for _ in self.rows(unknown, tally) if unknown else ():
                pass
        except Incomplete as cut_short:
            why = str(cut_short)
        return {sku: "" if sku in self._places else why for sku in levels}

    def _updated(self, item: int, levels: Mapping[str, int], tally: Tally) -> dict[str, str]:
        models = {self._places[sku][1]: sku for sku in levels}
        stock = [
            {"model_id": model, "seller_stock": [{"stock": levels[sku]}]}
            for model, sku in models.items()
        ]
        call = Call("update", "POST", UPDATE, json={"item_id": item, "stock_list": stock})
        try:
            answer = self._api.ask(call, tally)
        except Incomplete as cut_short:
            return dict.fromkeys(levels, str(cut_short))
        refused = {one["model_id"]: one["failed_reason"] for one in answer.get("failure_list", ())}
        return {sku: refused.get(model, "") for model, sku in models.items()}

    def _seen(self, skus: Sequence[str], tally: Tally) -> Iterator[StockRow]:
        """The items where these were seen, with all their SKUs."""
        items = dict.fromkeys(str(self._places[sku][0]) for sku in skus if sku in self._places)
        for some in batches(tuple(items), AT_ONCE):
            yield from self._described(some, tally)

    def _all(self, tally: Tally) -> Iterator[StockRow]:
        offset, listed, more = 0, 0, True
        while more:
            query = {"offset": str(offset), "page_size": str(PAGE), "item_status": STATUSES}
            page = self._api.ask(Call("items", "GET", LIST, query), tally)
            items = [str(one["item_id"]) for one in page.get("item", ())]
            tally.pages += 1
            tally.new(f"items {items[:1]}")
            listed += len(items)
            for some in batches(items, AT_ONCE):
                yield from self._described(some, tally)
            more, offset = page["has_next_page"], page.get("next_offset", 0)
        if listed != page["total_count"]:
            raise Incomplete(f"{listed} of {page['total_count']} items were listed")

    def _described(self, items: Sequence[str], tally: Tally) -> Iterator[StockRow]:
        query = {"item_id_list": ",".join(items)}
        found = self._api.ask(Call("item", "GET", BASE, query), tally)["item_list"]
        if len(found) != len(items):
            raise Incomplete(f"{len(found)} of {len(items)} listed items were described")
        for item in found:
            for model in self._models(item, tally):
                if sku := model.get("model_sku") or item.get("item_sku"):
                    if len(self._places) < MOST_PLACES:
                        self._places[sku] = (item["item_id"], model["model_id"])
                    yield _row(sku, item, model)

    def _models(self, item: Mapping[str, Any], tally: Tally) -> list[Mapping[str, Any]]:
        if not item["has_model"]:
            return [{**item, "model_id": 0}]
        call = Call("models", "GET", MODELS, {"item_id": str(item["item_id"])})
        found: list[Mapping[str, Any]] = self._api.ask(call, tally)["model"]
        return found


def _row(sku: str, item: Mapping[str, Any], model: Mapping[str, Any]) -> StockRow:
    """Units that Shopee reserves are those of a promotion, not of pending orders."""
    units = model["stock_info_v2"]["summary_info"]
    for_sale = item["item_status"] == "NORMAL" and model.get("model_status") != "MODEL_UNAVAILABLE"
    return StockRow(
        sku=sku,
        quantity=units["total_available_stock"],
        reserved=units["total_reserved_stock"],
        updated_at=datetime.fromtimestamp(item["update_time"], UTC),
        active=for_sale,
    )
