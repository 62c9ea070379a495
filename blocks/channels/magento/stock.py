"""What may be sold of each SKU: read, and set.

That is the *salable* quantity: the units of all sources without those reserved for orders and those
under the out-of-stock threshold. ``export-stock-salable-qty`` tells it page by page, calculated as
by ``get-product-salable-quantity`` for one SKU. Source items are units on a shelf that stay there
until an order is shipped: they are written by a push, and read for it only.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from blocks.channels.calls import Call
from blocks.channels.magento.api import PINNED, Rest, Search
from blocks.channels.reading import Incomplete, Rejected, Tally, batches
from domain.channel import StockRow

MOST_NAMED = 50
SOURCE_ITEMS = "/inventory/source-items"
WITH_STOCK = ("type_id", "in", "simple,virtual,downloadable")
"""Products with a stock of their own; the others are sold as a set of these."""
MISCOUNTED = (
    "total_count is of one page only: Magento before 2.4.9 needs patch ACSD-67089 for the whole"
)


def rows(rest: Rest, skus: Sequence[str], tally: Tally) -> Iterator[StockRow]:
    """Every SKU of the website, or those named; a decimal quantity is rounded down."""
    for item in _salable(rest, skus, tally):
        quantity = math.floor(item["qty"])
        active = quantity <= 0 or bool(item["is_salable"])
        yield StockRow(item["sku"], quantity, 0, None, active)


def refusals(rest: Rest, levels: Mapping[str, int], tally: Tally) -> dict[str, str]:
    """Makes ``levels`` salable; says per SKU why not, "" where it was done."""
    skus = tuple(levels)
    salable = {item["sku"]: item["qty"] for item in _salable(rest, skus, tally)}
    units = {item["sku"]: item["quantity"] for item in _units(rest, skus, tally)}
    said = {sku: _unable(rest, sku, salable, units) for sku in skus}
    wanted = {sku: units[sku] + levels[sku] - salable[sku] for sku in skus if not said[sku]}
    short = {
        sku: f"source {rest.access.source} has {units[sku]} units, {-quantity} too few for that"
        for sku, quantity in wanted.items()
        if quantity < 0
    }
    able = {sku: quantity for sku, quantity in wanted.items() if sku not in short}
    return {**said, **short, **dict.fromkeys(able, _refusal(rest, able, tally))}


def _salable(rest: Rest, skus: Sequence[str], tally: Tally) -> Iterator[dict[str, Any]]:
    tally.pinned = PINNED
    if not skus:
        search = _search(rest)
        yield from rest.found(search, tally)
        _believe_total(rest, search, tally)
    for some in batches(skus, MOST_NAMED):
        yield from rest.found(_search(rest, ("sku", "in", ",".join(some))), tally)


def _search(rest: Rest, *where: tuple[str, str, str]) -> Search:
    path = f"/inventory/export-stock-salable-qty/website/{rest.access.website}"
    return Search("stock", path, (WITH_STOCK, *where), "entity_id", "sku", "sku,qty,is_salable")


def _believe_total(rest: Rest, search: Search, tally: Tally) -> None:
    """Raises Incomplete for a Magento that tells a page's rows as the total."""
    told = rest.page(search, 1, tally, size=1)["total_count"]
    if told < (tally.reported or 0):
        raise Incomplete(MISCOUNTED)


def _units(rest: Rest, skus: Sequence[str], tally: Tally) -> Iterator[dict[str, Any]]:
    where = (("sku", "in", ",".join(skus)), ("source_code", "eq", rest.access.source))
    fields = "sku,source_code,quantity"
    return rest.found(Search("stock", SOURCE_ITEMS, where, "sku", "sku", fields), tally)


def _unable(rest: Rest, sku: str, salable: Mapping[str, Any], units: Mapping[str, Any]) -> str:
    if sku not in salable:
        return f"not sold in the website {rest.access.website}"
    return "" if sku in units else f"not kept in the source {rest.access.source}"


def _refusal(rest: Rest, units: Mapping[str, Decimal | int], tally: Tally) -> str:
    """Writes all or nothing."""
    items = [
        {
            "sku": sku,
            "source_code": rest.access.source,
            "quantity": float(quantity),
            "status": int(quantity > 0),
        }
        for sku, quantity in units.items()
    ]
    try:
        if items:
            rest.ask(Call("push", "POST", SOURCE_ITEMS, json={"sourceItems": items}), tally)
    except Rejected as rejected:
        return str(rejected)
    return ""
