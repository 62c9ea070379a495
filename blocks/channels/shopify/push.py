"""Setting levels at one location so that all locations together have what is wanted."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from blocks.channels.reading import Incomplete, Tally
from blocks.channels.shopify.admin import Admin
from blocks.channels.shopify.pages import SKUS_AT_ONCE, Pages
from blocks.channels.shopify.rows import nodes, stock_row, units
from blocks.channels.shopify_documents import SET_QUANTITIES
from domain.channel import Pushed

ROUNDS = 3
STALE = "CHANGE_FROM_QUANTITY_STALE"


class Push:
    """Shopify refuses where somebody bought in between; then it is looked and set again.

    Source: https://shopify.dev/docs/api/admin-graphql/2026-10/mutations/inventorySetQuantities
    """

    def __init__(
        self, admin: Admin, pages: Pages, location: str, now: Callable[[], datetime]
    ) -> None:
        self._admin = admin
        self._pages = pages
        self._location = location
        self._now = now

    def levels(self, levels: Mapping[str, int]) -> Pushed:
        skus = tuple(levels)
        refused: dict[str, str] = {}
        for at in range(0, len(skus), SKUS_AT_ONCE):
            refused |= self._set({sku: levels[sku] for sku in skus[at : at + SKUS_AT_ONCE]})
        return Pushed({sku: n for sku, n in levels.items() if sku not in refused}, refused)

    def _set(self, levels: Mapping[str, int]) -> dict[str, str]:
        """Why which was not set: Shopify sets all of a call or nothing."""
        refused: dict[str, str] = {}
        why = ""
        try:
            for _ in range(ROUNDS):
                left = {sku: level for sku, level in levels.items() if sku not in refused}
                ready, unfit = self._quantities(left)
                refused |= unfit
                errors = self._sent(tuple(ready.values())) if ready else []
                if not errors:
                    return refused
                why = errors[0]["message"]
                refused |= _blamed(errors, tuple(ready))
        except Incomplete as cut_short:
            why = str(cut_short)
        return {sku: refused.get(sku, why) for sku in levels}

    def _quantities(
        self, levels: Mapping[str, int]
    ) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
        """What to send for each SKU, and why nothing can be sent for the others."""
        found: dict[str, list[dict[str, Any]]] = {sku: [] for sku in levels}
        for item in self._pages.items(tuple(levels), Tally(self._now())):
            found[item["sku"]].append(item)
        unfit = {
            sku: f"{len(items)} variants have this SKU, it takes 1"
            for sku, items in found.items()
            if len(items) != 1
        }
        fit = [sku for sku in levels if sku not in unfit]
        return {sku: _quantity(found[sku][0], self._location, levels[sku]) for sku in fit}, unfit

    def _sent(self, quantities: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Its errors. A call that is sent again has the same key: Shopify does it once."""
        made = {"name": "available", "reason": "correction", "quantities": quantities}
        variables = {"input": made, "key": str(uuid4())}
        answer = self._admin.ask(SET_QUANTITIES, variables, Tally(self._now()))
        errors: list[dict[str, Any]] = answer["inventorySetQuantities"]["userErrors"]
        return errors


def _quantity(item: Mapping[str, Any], location: str, level: int) -> dict[str, Any]:
    here = [one for one in nodes(item["inventoryLevels"]) if one["location"]["id"] == location]
    now_here = sum(units(one, "available") for one in here)
    elsewhere = stock_row(item).quantity - now_here
    return {
        "inventoryItemId": item["id"],
        "locationId": location,
        "quantity": level - elsewhere,
        "changeFromQuantity": now_here,
    }


def _blamed(errors: Iterable[Mapping[str, Any]], skus: Sequence[str]) -> dict[str, str]:
    """By SKU, what another look does not mend; ``field`` is input, quantities, index, name."""
    return {
        skus[int(error["field"][2])]: error["message"]
        for error in errors
        if error["code"] != STALE and len(error["field"] or ()) > 2
    }
