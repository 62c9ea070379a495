"""Amazon SP-API: tokens, FBA stock and Orders 2026-01-01, read page by page within a budget."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx

from domain.channel import Fetch, Line, Order, OrderSnapshot, Quota, StockRow, StockSnapshot
from domain.errors import BadInput, Unavailable

LIMIT_SECONDS = 20.0
TOKEN_MARGIN_SECONDS = 60.0
ATTEMPTS = 4
PAUSE_SECONDS = 0.5
MOST_PAGES = 10_000
ORDERS = "/orders/2026-01-01/orders"
STOCK = "/fba/inventory/v1/summaries"


@dataclass(frozen=True)
class Credentials:
    """Login with Amazon; nothing of it is ever shown."""

    client_id: str
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)


@dataclass
class _Reading:
    """How one snapshot went so far."""

    pages: int = 0
    refused: int = 0
    repeated: int = 0
    reason: str = ""

    def fetch(self) -> Fetch:
        done = not self.reason
        return Fetch(datetime.now(UTC), done, self.pages, self.refused, self.repeated, self.reason)


class _Incomplete(Exception):
    pass


class AmazonClient:
    """One account in one marketplace; refused calls are waited for at most ``wait_seconds``.

    Rates: https://developer-docs.amazon.com/sp-api/docs/usage-plans-and-rate-limits
    """

    def __init__(
        self, endpoint: str, token_endpoint: str, marketplace: str, credentials: Credentials,
        wait_seconds: float = 10,
    ) -> None:  # fmt: skip
        self._http = httpx.Client(base_url=endpoint, timeout=LIMIT_SECONDS)
        self._token_endpoint = token_endpoint
        self._marketplace = marketplace
        self._credentials = credentials
        self._wait_seconds = wait_seconds
        self._token, self._token_until = "", 0.0
        self._rate = 0.0056

    def stock(self) -> StockSnapshot:
        query = {
            "details": "true", "granularityType": "Marketplace",
            "granularityId": self._marketplace, "marketplaceIds": self._marketplace,
        }  # fmt: skip
        reading = _Reading()
        rows: dict[str, StockRow] = {}
        for page in self._pages(STOCK, query, "nextToken", reading):
            for summary in page["payload"]["inventorySummaries"]:
                row = _stock_row(summary)
                reading.repeated += row.sku in rows
                rows[row.sku] = row
        return StockSnapshot(tuple(rows.values()), reading.fetch())

    def orders_since(self, since: datetime) -> OrderSnapshot:
        """Orders updated at or after ``since`` (aware)."""
        query = {
            "lastUpdatedAfter": since.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "marketplaceIds": self._marketplace, "maxResultsPerPage": "100",
            "includedData": "PROCEEDS,FULFILLMENT",
        }  # fmt: skip
        reading = _Reading()
        orders: dict[str, Order] = {}
        watermark = since
        for page in self._pages(ORDERS, query, "paginationToken", reading):
            watermark = _time(page["lastUpdatedBefore"])
            for found in page["orders"]:
                order = _order(found)
                reading.repeated += order.order_id in orders
                orders[order.order_id] = order
        fetch = reading.fetch()
        return OrderSnapshot(
            tuple(orders.values()), since, watermark if fetch.complete else since, fetch
        )

    def quota(self) -> Quota:
        """As the last answer said; Amazon does not tell what remains, so it is the burst."""
        return Quota(self._rate, 20, 20)

    def _pages(
        self, path: str, query: dict[str, str], parameter: str, reading: _Reading
    ) -> Iterator[dict[str, Any]]:
        """Every page, or those before the one that could not be had: then ``reading`` says why."""
        deadline = time.monotonic() + self._wait_seconds
        seen: set[str] = set()
        for _ in range(MOST_PAGES):
            try:
                page = self._page(path, query, reading, deadline)
            except _Incomplete as cut_short:
                reading.reason = str(cut_short)
                return
            reading.pages += 1
            yield page
            following = page.get("pagination", {}).get("nextToken")
            if not following:
                return
            if following in seen:
                reading.reason = f"page {reading.pages} leads to itself"
                return
            seen.add(following)
            query = {**query, parameter: following}
        reading.reason = f"more than {MOST_PAGES} pages"

    def _page(
        self, path: str, query: dict[str, str], reading: _Reading, deadline: float
    ) -> dict[str, Any]:
        for attempt in range(ATTEMPTS):
            answer = self._sent(lambda: self._http.get(path, params=query, headers=self._headers()))
            if answer.status_code == 200:
                self._rate = float(answer.headers.get("x-amzn-RateLimit-Limit", self._rate))
                found: dict[str, Any] = answer.json()
                return found
            if answer.status_code == 429:
                reading.refused += 1
            if answer.status_code in (401, 403):
                self._token_until = 0
            elif answer.status_code < 500 and answer.status_code != 429:
                raise _Incomplete(f"{path} answered {answer.status_code}: {_problem(answer)}")
            pause = PAUSE_SECONDS * 2**attempt
            if time.monotonic() + pause > deadline:
                break
            time.sleep(pause)
        raise _Incomplete(f"{path} answered {answer.status_code}: {_problem(answer)}")

    def _headers(self) -> dict[str, str]:
        if time.monotonic() >= self._token_until:
            self._log_in()
        return {"x-amz-access-token": self._token}

    def _log_in(self) -> None:
        form = {
            "grant_type": "refresh_token",
            "client_id": self._credentials.client_id,
            "client_secret": self._credentials.client_secret,
            "refresh_token": self._credentials.refresh_token,
        }
        url = f"{self._token_endpoint}/auth/o2/token"
        answer = self._sent(lambda: self._http.post(url, data=form))
        if answer.status_code in (400, 401):
            field_name = {"invalid_grant": "refresh_token"}.get(
                answer.json().get("error", ""), "client_id or client_secret"
            )
            raise BadInput(f"{field_name} was refused by {self._token_endpoint}")
        if answer.status_code != 200:
            raise Unavailable(f"{self._token_endpoint} answered {answer.status_code}")
        found = answer.json()
        self._token = found["access_token"]
        self._token_until = time.monotonic() + found["expires_in"] - TOKEN_MARGIN_SECONDS

    def _sent(self, send: Callable[[], httpx.Response]) -> httpx.Response:
        for attempt in range(ATTEMPTS):
            try:
                return send()
            except httpx.TransportError as error:
                last = error
                time.sleep(PAUSE_SECONDS * attempt / 2)
        raise Unavailable(f"{self._http.base_url} does not answer: {last}")


def _problem(answer: httpx.Response) -> str:
    try:
        error = answer.json()["errors"][0]
        return f"{error['code']}: {error.get('message', '')}"
    except (ValueError, KeyError, IndexError):
        return answer.text[:200]


def _stock_row(summary: dict[str, Any]) -> StockRow:
    details = summary["inventoryDetails"]
    reserved = details.get("reservedQuantity", {}).get("pendingCustomerOrderQuantity", 0)
    updated = summary.get("lastUpdatedTime")
    return StockRow(
        summary["sellerSku"], int(details["fulfillableQuantity"]), int(reserved),
        _time(updated) if updated else None,
    )  # fmt: skip


def _order(found: dict[str, Any]) -> Order:
    total = found.get("proceeds", {}).get("grandTotal")
    return Order(
        found["orderId"],
        _time(found["createdTime"]),
        _time(found["lastUpdatedTime"]),
        found.get("fulfillment", {}).get("fulfillmentStatus", ""),
        total["currencyCode"] if total else "",
        Decimal(total["amount"]) if total else None,
        tuple(
            Line(item["product"].get("sellerSku", ""), int(item["quantityOrdered"]))
            for item in found["orderItems"]
        ),
    )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
