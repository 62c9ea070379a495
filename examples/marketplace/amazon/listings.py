"""Listings Items 2021-08-01: the merchant's own stock, searched by what the seller asks for."""

from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

from examples.marketplace.account import Level
from examples.marketplace.amazon.operation import (
    MARKETPLACE,
    Asked,
    Operation,
    Problem,
    opened,
    ours,
    sealed,
    text,
    wrong,
)
from examples.marketplace.market import Market

PATH = "/listings/2021-08-01/items/{seller}"
PAGE, OTHERWISE = 20, 10
MOST_FOUND = 1000
"""More cannot be paged through, whatever ``numberOfResults`` says."""
TOKEN_SECONDS = 86_400
DATASETS = (
    "summaries", "attributes", "issues", "offers", "fulfillmentAvailability", "procurement",
    "relationships", "productTypes",
)  # fmt: skip
STATUSES = ("BUYABLE", "DISCOVERABLE")
KINDS = ("ASIN", "EAN", "FNSKU", "GTIN", "ISBN", "JAN", "MINSAN", "SKU", "UPC")
SORTS = {"sku": "sku", "createdDate": "created", "lastUpdatedDate": "updated"}
BY_AMAZON = "-FBA"
"""How SKUs end that Amazon fulfils: of those the merchant offers nothing himself."""
NEVER_FOUND = ("variationParentSku", "packageHierarchySku", "withIssueSeverity")
"""Filters for what this account has none of."""


@dataclass(frozen=True)
class Listing:
    """Sold out it cannot be bought; taken off it cannot even be found."""

    sku: str
    created: datetime
    level: Level

    @property
    def updated(self) -> datetime:
        return self.level.at

    @property
    def status(self) -> tuple[str, ...]:
        if not self.level.active:
            return ()
        return STATUSES if self.level.fulfillable > 0 else STATUSES[1:]

    def shown(self, datasets: list[str]) -> dict[str, Any]:
        summary = {
            "marketplaceId": MARKETPLACE,
            "productType": "PRODUCT",
            "status": list(self.status),
            "createdDate": text(self.created),
            "lastUpdatedDate": text(self.updated),
        }
        known = {"summaries": [summary], "fulfillmentAvailability": [self._offered()]}
        return {"sku": self.sku, **{name: known[name] for name in known if name in datasets}}

    def _offered(self) -> dict[str, Any]:
        if self.sku.endswith(BY_AMAZON):
            return {"fulfillmentChannelCode": "AMAZON_NA"}
        quantity = max(0, self.level.fulfillable)
        return {"fulfillmentChannelCode": "DEFAULT", "quantity": quantity}


@dataclass(frozen=True)
class Search:
    """What a listing must be like; ``windows`` are [since, until] by the name of the date."""

    skus: frozenset[str] | None
    windows: tuple[tuple[str, datetime | None, datetime | None], ...]
    having: frozenset[str]
    lacking: frozenset[str]

    def fits(self, listing: Listing) -> bool:
        status = set(listing.status)
        return (
            (self.skus is None or listing.sku in self.skus)
            and self.having <= status
            and not self.lacking & status
            and all(
                (not since or since <= getattr(listing, name))
                and (not until or getattr(listing, name) <= until)
                for name, since, until in self.windows
            )
        )


def search(market: Market, asked: Asked) -> dict[str, Any]:
    ours(asked)
    size = asked.size("pageSize", OTHERWISE, PAGE)
    datasets = asked.some_of("includedData", DATASETS) or ["summaries"]
    by = SORTS[asked.one_of("sortBy", tuple(SORTS), "lastUpdatedDate")]
    backwards = asked.one_of("sortOrder", ("ASC", "DESC"), "DESC") == "DESC"
    wanted = _wanted(asked)
    found = [listing for listing in _listings(market) if wanted.fits(listing)]
    found.sort(key=attrgetter(by), reverse=backwards)
    scope = str(sorted(item for item in asked.query.items() if item[0] != "pageToken"))
    token = asked.query.get("pageToken", "")
    offset = int(opened(market, token, scope, TOKEN_SECONDS)) if token else 0
    page, following = market.page(found[:MOST_FOUND], offset, size)
    body: dict[str, Any] = {
        "numberOfResults": len(found),
        "items": [listing.shown(datasets) for listing in page],
    }
    if following is not None:
        body["pagination"] = {"nextToken": sealed(market, following, scope)}
    return body


def one(market: Market, asked: Asked) -> dict[str, Any]:
    ours(asked)
    datasets = asked.some_of("includedData", DATASETS) or ["summaries"]
    for listing in _listings(market):
        if listing.sku == asked.path["sku"]:
            return listing.shown(datasets)
    raise Problem(404, "NOT_FOUND", f"SKU '{asked.path['sku']}' not found in {MARKETPLACE}")


def _listings(market: Market) -> list[Listing]:
    known = market.account.levels
    return [Listing(sku, known[sku][0].at, level) for sku, level in market.levels().items()]


def _wanted(asked: Asked) -> Search:
    named = asked.listed("identifiers", PAGE)
    kind = asked.one_of("identifiersType", ("", *KINDS), "")
    if bool(named) != bool(kind):
        raise wrong("identifiers and identifiersType go together")
    nothing = any(name in asked.query for name in NEVER_FOUND) or kind not in ("", "SKU")
    windows = tuple(
        (SORTS[f"{what}Date"], asked.moment(f"{what}After"), asked.moment(f"{what}Before"))
        for what in ("created", "lastUpdated")
    )
    return Search(
        frozenset() if nothing else frozenset(named) if named else None,
        windows,
        frozenset(asked.some_of("withStatus", STATUSES)),
        frozenset(asked.some_of("withoutStatus", STATUSES)),
    )


OPERATIONS = (
    Operation("listings", "GET", PATH, 5, 5, search),
    Operation("listing", "GET", PATH + "/{sku:path}", 5, 10, one),
)
