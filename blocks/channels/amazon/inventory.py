"""Stock in Amazon's warehouses (FBA Inventory v1)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from blocks.channels.amazon.api import PINNED, Paged, SellingPartner, utc
from blocks.channels.calls import Call
from blocks.channels.reading import Tally, batches
from domain.channel import StockRow

PATH = "/fba/inventory/v1/summaries"
MOST_SKUS = 50


def rows(api: SellingPartner, skus: Sequence[str], tally: Tally) -> Iterator[StockRow]:
    """Every SKU of the account or those named; a SKU that FBA does not know has no row."""
    tally.pinned = PINNED["stock"]
    place = api.access.marketplace
    query = {
        "details": "true", "granularityType": "Marketplace", "granularityId": place,
        "marketplaceIds": place,
    }  # fmt: skip
    named = [{"sellerSkus": ",".join(some)} for some in batches(skus, MOST_SKUS)]
    for names in named or [{}]:
        call = Call("stock", "GET", PATH, query | names)
        for page in api.pages(Paged(call, _summaries, "sellerSku", "nextToken"), tally):
            yield from map(_row, _summaries(page))


def _summaries(page: Mapping[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = page["payload"]["inventorySummaries"]
    return found


def _row(summary: Mapping[str, Any]) -> StockRow:
    details = summary["inventoryDetails"]
    reserved = details.get("reservedQuantity", {}).get("pendingCustomerOrderQuantity", 0)
    updated = summary.get("lastUpdatedTime")
    return StockRow(
        summary["sellerSku"], int(details.get("fulfillableQuantity", 0)), int(reserved),
        utc(updated) if updated else None,
    )  # fmt: skip
