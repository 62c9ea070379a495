"""One eBay seller: stock and orders page by page, levels in calls of many."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx

from blocks.channels.calls import LIMIT_SECONDS, Budget, Call, Calls
from blocks.channels.ebay.login import OF_THE_APP, EbayAccess, Logins
from blocks.channels.ebay.rows import order, quotas, said, stock_row
from blocks.channels.reading import Incomplete, Reading, Tally
from domain.channel import Order, Pace, Pushed, Quota, Rate, StockRow
from domain.errors import Unavailable

PINNED = {"inventory": "v1", "fulfillment": "v1"}
RATES = {"inventory": Rate(1, 100), "fulfillment": Rate(1, 100), OF_THE_APP: Rate(0.05, 20)}
"""Until eBay has told this app's own, which are more: they differ from app to app."""
INVENTORY = "/sell/inventory/v1"
ORDERS = "/sell/fulfillment/v1/order"
LIMITS = "/developer/analytics/v1_beta/rate_limit/"
ROWS_OF_PAGE, SKUS_OF_CALL = "200", 25
PARTS_OF_DAY = 24
OK, ABSENT = 200, 404
UNTOLD = "eBay does not say whether it was set"


class EbayClient:
    """A ChannelClient. Orders that are not paid yet are not told at all."""

    def __init__(
        self, access: EbayAccess, budget: Budget, wait_seconds: float = 60,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        pause: Callable[[float], None] = time.sleep,
    ) -> None:  # fmt: skip
        http = httpx.Client(base_url=access.endpoint, timeout=LIMIT_SECONDS)
        logins = Logins(access, http, now, pause)
        self._now = now
        self._calls = Calls(
            http, budget, dict(RATES), logins.headers, logins.forget, lambda _: "", _problem,
            wait_seconds, now, pause,
        )  # fmt: skip

    @property
    def pace(self) -> Pace:
        return Pace(RATES["inventory"], int(ROWS_OF_PAGE))

    def stock(self, skus: Sequence[str] = ()) -> Reading[StockRow]:
        return Reading(
            lambda tally: self._named(skus, tally) if skus else self._all(tally), self._now
        )

    def orders_since(self, since: datetime) -> Reading[Order]:
        """eBay keeps milliseconds."""
        query = {"filter": f"lastmodifieddate:[{_text(since)}..]", "limit": ROWS_OF_PAGE}
        return Reading(lambda tally: self._orders(query, tally), self._now)

    def quota(self) -> Quota:
        """Of the scarcer of both APIs; what is told is kept to from now on."""
        call = Call(OF_THE_APP, "GET", LIMITS, {"api_context": "sell"})
        try:
            limits = self._calls.ask(call, Tally(self._now())).json()["rateLimits"]
        except Incomplete as error:
            raise Unavailable(str(error)) from error
        return min((self._learnt(limits, name) for name in PINNED), key=_share)

    def push(self, levels: Mapping[str, int]) -> Pushed:
        """Sets the total of all marketplaces; a listing shows less where its offer says less.

        Source: https://developer.ebay.com/api-docs/sell/static/inventory/bulk-updates.html
        """
        refused: dict[str, str] = {}
        for some in _chunks(tuple(levels)):
            refused |= self._set({sku: levels[sku] for sku in some})
        return Pushed({sku: n for sku, n in levels.items() if sku not in refused}, refused)

    def _all(self, tally: Tally) -> Iterator[StockRow]:
        call = Call("inventory", "GET", f"{INVENTORY}/inventory_item", {"limit": ROWS_OF_PAGE})
        for page in self._pages(call, tally):
            yield from map(stock_row, _begun(page.get("inventoryItems", []), "sku", tally))

    def _named(self, skus: Sequence[str], tally: Tally) -> Iterator[StockRow]:
        """A SKU that is not listed has no row."""
        tally.reported = 0
        for some in _chunks(skus):
            body = {"requests": [{"sku": sku} for sku in some]}
            for told in self._told("bulk_get_inventory_item", body, tally):
                if told["statusCode"] == ABSENT:
                    continue
                if told["statusCode"] != OK:
                    raise Incomplete(f"{told['sku']} answered {said(told)}")
                tally.reported += 1
                yield stock_row({**told["inventoryItem"], "sku": told["sku"]})

    def _orders(self, query: Mapping[str, str], tally: Tally) -> Iterator[Order]:
        for page in self._pages(Call("fulfillment", "GET", ORDERS, query), tally):
            yield from map(order, _begun(page.get("orders", []), "orderId", tally))

    def _pages(self, call: Call, tally: Tally) -> Iterator[dict[str, Any]]:
        """The next as eBay names it: ``offset`` counts pages of items, but single orders."""
        tally.pinned = PINNED[call.operation]
        while True:
            page = self._calls.ask(call, tally).json()
            tally.pages += 1
            tally.reported = page["total"]
            yield page
            if not page.get("next"):
                return
            following = dict(parse_qsl(urlsplit(page["next"]).query))
            call = replace(call, parameters={**call.parameters, **following})

    def _set(self, levels: Mapping[str, int]) -> dict[str, str]:
        """Why which was not set; of those that eBay says nothing about, nothing is known."""
        requests = [
            {"sku": sku, "shipToLocationAvailability": {"quantity": level}}
            for sku, level in levels.items()
        ]
        tally = Tally(self._now())
        try:
            told = self._told("bulk_update_price_quantity", {"requests": requests}, tally)
        except Incomplete as cut_short:
            return dict.fromkeys(levels, str(cut_short))
        whys = {one["sku"]: "" if one["statusCode"] == OK else said(one) for one in told}
        return {sku: why for sku in levels if (why := whys.get(sku, UNTOLD))}

    def _told(self, name: str, body: Any, tally: Tally) -> list[dict[str, Any]]:
        """About each SKU of a call: one that is answered with 200 or 207 can fail for some."""
        tally.pinned = PINNED["inventory"]
        call = Call("inventory", "POST", f"{INVENTORY}/{name}", json=body)
        found: list[dict[str, Any]] = self._calls.ask(call, tally).json()["responses"]
        tally.pages += 1
        return found

    def _learnt(self, limits: Sequence[Mapping[str, Any]], name: str) -> Quota:
        """The scarcest of one API's; a day's calls are spread, an hour's may come at once."""
        found = quotas(limits, name)
        if not found:
            raise Unavailable(f"{LIMITS} tells no limit of {name}")
        scarcest = min(found, key=_share)
        at_once = max(1, scarcest.limit / PARTS_OF_DAY)
        self._calls.rates[name] = Rate(scarcest.limit / scarcest.window_seconds, at_once)
        return scarcest


def _share(quota: Quota) -> float:
    return quota.remaining / max(1, quota.limit)


def _begun(rows: list[dict[str, Any]], key: str, tally: Tally) -> list[dict[str, Any]]:
    if rows:
        tally.new(rows[0][key])
    return rows


def _problem(answer: httpx.Response) -> str:
    try:
        return said(answer.json())
    except (ValueError, KeyError, TypeError):
        return answer.reason_phrase


def _chunks(skus: Sequence[str]) -> Iterator[Sequence[str]]:
    return (skus[at : at + SKUS_OF_CALL] for at in range(0, len(skus), SKUS_OF_CALL))


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
