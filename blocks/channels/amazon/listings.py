"""Stock that the merchant keeps himself (Listings Items 2021-08-01): read, and set."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from blocks.channels.amazon.api import PINNED, Paged, SellingPartner, utc
from blocks.channels.calls import Call
from blocks.channels.reading import Incomplete, Rejected, Tally, batches
from domain.channel import StockRow

PATH = "/listings/2021-08-01/items"
MOST_SKUS = 20
MOST_FOUND = 1000
"""One search pages through no more listings than these."""


@dataclass
class Reached:
    """The last creation date that was read, and which SKUs were created at that very moment."""

    at: str = ""
    skus: set[str] = field(default_factory=set)

    def further(self, item: Mapping[str, Any]) -> bool:
        """Whether the item was not there before; dates never go back."""
        created = _summary(item).get("createdDate", self.at)
        if created != self.at:
            self.at, self.skus = created, set()
        fresh = item["sku"] not in self.skus
        self.skus.add(item["sku"])
        return fresh


def rows(api: SellingPartner, skus: Sequence[str], tally: Tally) -> Iterator[StockRow]:
    """Every listing or those named, without the ones that Amazon itself fulfils."""
    tally.pinned = PINNED["listings"]
    tally.reported = 0
    named = [
        {"identifiersType": "SKU", "identifiers": ",".join(some)}
        for some in batches(skus, MOST_SKUS)
    ]
    for names in named or [{}]:
        for item in _found(api, names, tally):
            quantity = _quantity(item)
            if quantity is None:
                tally.reported -= 1
            else:
                yield _row(item, quantity)


def refusal(api: SellingPartner, sku: str, level: int, tally: Tally) -> str:
    """Sets a listing's level; why Amazon did not take it, "" when it did.

    ``merge`` leaves the handling time and the restock date as they are:
    https://developer-docs.amazon.com/sp-api/docs/merge-a-listing
    """
    value = {"fulfillment_channel_code": "DEFAULT", "quantity": level}
    patch = {"op": "merge", "path": "/attributes/fulfillment_availability", "value": [value]}
    path = f"{PATH}/{api.access.seller_id}/{quote(sku, safe='')}"
    body = {"productType": "PRODUCT", "patches": [patch]}
    where = {"marketplaceIds": api.access.marketplace}
    try:
        answer = api.ask(Call("patch", "PATCH", path, where, body), tally)
    except Rejected as rejected:
        return str(rejected)
    if answer["status"] == "ACCEPTED":
        return ""
    issues = [issue["message"] for issue in answer.get("issues", ())]
    return "; ".join(issues) or f"the submission is {answer['status']}"


def _found(
    api: SellingPartner, names: Mapping[str, str], tally: Tally
) -> Iterator[Mapping[str, Any]]:
    """Search after search, each from the moment that the one before it reached."""
    reached = Reached()
    while True:
        since = reached.at
        begin = {"createdAfter": since} if since else {}
        count = 0
        for page in api.pages(_search(api, {**names, **begin}), tally):
            if not since and not count:
                tally.reported = (tally.reported or 0) + page["numberOfResults"]
            count += len(_items(page))
            yield from filter(reached.further, _items(page))
        if count < MOST_FOUND:
            return
        if reached.at == since:
            raise Incomplete(f"more than {MOST_FOUND} listings were created at {since}")


def _search(api: SellingPartner, names: Mapping[str, str]) -> Paged:
    query = {
        "marketplaceIds": api.access.marketplace, "pageSize": str(MOST_SKUS),
        "includedData": "summaries,fulfillmentAvailability",
        "sortBy": "createdDate", "sortOrder": "ASC",
    }  # fmt: skip
    call = Call("listings", "GET", f"{PATH}/{api.access.seller_id}", {**query, **names})
    return Paged(call, _items, "sku", "pageToken", names.get("createdAfter", ""))


def _items(page: Mapping[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = page["items"]
    return found


def _summary(item: Mapping[str, Any]) -> dict[str, Any]:
    return next(iter(item.get("summaries", ())), {})


def _quantity(item: Mapping[str, Any]) -> int | None:
    """What the merchant offers; None for a listing that only Amazon fulfils."""
    own = [
        int(one.get("quantity", 0))
        for one in item.get("fulfillmentAvailability", ())
        if not one["fulfillmentChannelCode"].startswith("AMAZON")
    ]
    return sum(own) if own else None


def _row(item: Mapping[str, Any], quantity: int) -> StockRow:
    """Sold out it is DISCOVERABLE still; without any status it is not for sale."""
    summary = _summary(item)
    updated = summary.get("lastUpdatedDate")
    return StockRow(
        item["sku"], quantity, 0, utc(updated) if updated else None, bool(summary.get("status"))
    )
