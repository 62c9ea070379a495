"""The official operations: tokens, Orders 2026-01-01, FBA inventory, in their exact shapes."""

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from examples.marketplace.account import Account, Sold
from examples.marketplace.faults import Faults
from examples.marketplace.rates import Bucket

MARKETPLACE = "ATVPDKIKX0DER"
CLIENT = {
    "client_id": "demo-client",
    "client_secret": "demo-secret",
    "refresh_token": "demo-refresh",
}
ORDERS_TOKEN_SECONDS, STOCK_TOKEN_SECONDS = 86_400, 30
STOCK_PAGE = 50


@dataclass(frozen=True)
class Answer:
    status: int
    body: dict[str, Any]
    rate: float | None = None


class Problem(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        self.answer = Answer(
            status, {"errors": [{"code": code, "message": message, "details": ""}]}
        )
        super().__init__(message)


@dataclass
class Marketplace:
    """One seller's account behind SP-API; a window must end ``end_bound`` in the past."""

    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    orders_bucket: Bucket = field(default_factory=lambda: Bucket(0.0056, 20))
    stock_bucket: Bucket = field(default_factory=lambda: Bucket(2, 2))
    end_bound: timedelta = timedelta(minutes=2)
    token_seconds: int = 3600
    account: Account = field(default_factory=Account)
    faults: Faults = field(default_factory=Faults)
    tokens: dict[str, datetime] = field(default_factory=dict)

    def token(self, form: Mapping[str, str]) -> Answer:
        """Login with Amazon: errors are OAuth's, not SP-API's."""
        if form.get("grant_type") != "refresh_token":
            return _oauth("unsupported_grant_type", "grant_type must be refresh_token")
        for name in ("client_id", "client_secret"):
            if form.get(name) != CLIENT[name]:
                return Answer(401, _oauth("invalid_client", "Client authentication failed").body)
        if form.get("refresh_token") != CLIENT["refresh_token"]:
            return _oauth("invalid_grant", "The request has an invalid grant parameter")
        token = f"Atza|{len(self.tokens) + 1}"
        self.tokens[token] = self.clock() + timedelta(seconds=self.token_seconds)
        return Answer(200, {
            "access_token": token, "token_type": "bearer",
            "expires_in": self.token_seconds, "refresh_token": CLIENT["refresh_token"],
        })  # fmt: skip

    def orders(self, query: Mapping[str, str], access_token: str) -> Answer:
        self._admit(access_token, self.orders_bucket)
        if "paginationToken" in query:
            state = self._opened(query["paginationToken"], ORDERS_TOKEN_SECONDS)
        else:
            state = self._window(query)
        found = self._visible(state)
        size = int(state["size"])
        page = found[state["offset"] : state["offset"] + size]
        body: dict[str, Any] = {
            "orders": [self._order(sold) for sold in page],
            state["bound"]: state["until"],
        }
        if state["offset"] + size < len(found):
            step = size + 1 if self.faults.page_gap else size
            following = {**state, "offset": state["offset"] + step}
            body["pagination"] = {"nextToken": self._sealed(following)}
        return Answer(200, body, self.orders_bucket.rate)

    def stock(self, query: Mapping[str, str], access_token: str) -> Answer:
        self._admit(access_token, self.stock_bucket)
        _require(query, "granularityType", "granularityId", "marketplaceIds")
        skus = query["sellerSkus"].split(",") if query.get("sellerSkus") else None
        if skus and len(skus) > STOCK_PAGE:
            raise Problem(
                400, "InvalidInput", f"sellerSkus has {len(skus)}, at most 50 are allowed"
            )
        offset = 0
        if query.get("nextToken"):
            offset = self._opened(query["nextToken"], STOCK_TOKEN_SECONDS)["offset"]
        levels = self.account.stock_at(self._seen_until())
        names = sorted(sku for sku in levels if skus is None or sku in skus)
        step = STOCK_PAGE + 1 if self.faults.page_gap else STOCK_PAGE
        body: dict[str, Any] = {"payload": {
            "granularity": {
                "granularityType": query["granularityType"], "granularityId": query["granularityId"]
            },
            "inventorySummaries": [
                _summary(sku, levels[sku]) for sku in names[offset : offset + STOCK_PAGE]
            ],
        }}  # fmt: skip
        if offset + STOCK_PAGE < len(names):
            body["pagination"] = {"nextToken": self._sealed({"offset": offset + step})}
        return Answer(200, body, self.stock_bucket.rate)

    def add_inventory(self, body: Any, token: str, access_token: str) -> Answer:
        self._admit(access_token, self.stock_bucket)
        if not token:
            raise Problem(400, "InvalidInput", "x-amzn-idempotency-token is missing")
        quantities: dict[str, int] = {}
        for item in body.get("inventoryItems", []):
            if item.get("sellerSku") not in self.account.levels:
                raise Problem(404, "NotFound", f"sellerSku {item.get('sellerSku')} is not listed")
            if item.get("marketplaceId") != MARKETPLACE or int(item.get("quantity", 0)) < 1:
                raise Problem(400, "InvalidInput", f"inventoryItems has {item}")
            quantities[item["sellerSku"]] = int(item["quantity"])
        self.account.add(token, quantities, self.clock())
        return Answer(200, {}, self.stock_bucket.rate)

    def _admit(self, access_token: str, bucket: Bucket) -> None:
        spoilt = self.faults.spoil()
        if spoilt == 429 or not (spoilt or bucket.take(self.clock().timestamp())):
            raise Problem(
                429, "QuotaExceeded", "You exceeded your quota for the requested resource."
            )
        if spoilt:
            raise Problem(spoilt, "ServiceUnavailable", "Service is temporarily unavailable.")
        if self.tokens.get(access_token, self.clock()) <= self.clock():
            raise Problem(403, "Unauthorized", "Access to requested resource is denied.")

    def _window(self, query: Mapping[str, str]) -> dict[str, Any]:
        starts = [name for name in ("createdAfter", "lastUpdatedAfter") if name in query]
        if len(starts) != 1:
            raise Problem(400, "InvalidInput", "exactly one of createdAfter, lastUpdatedAfter")
        bound = starts[0].replace("After", "Before")
        latest = self.clock() - self.end_bound
        until = _time(query[bound]) if bound in query else latest
        if until > latest:
            raise Problem(400, "InvalidInput", f"{bound} must be 2 minutes in the past")
        size = int(query.get("maxResultsPerPage", "100"))
        if not 1 <= size <= 100:
            raise Problem(400, "InvalidInput", f"maxResultsPerPage is {size}, 1 to 100 are allowed")
        start = _time(query[starts[0]])
        return {
            "since": _text(start), "until": _text(until), "bound": bound, "size": size, "offset": 0
        }  # fmt: skip

    def _visible(self, state: Mapping[str, Any]) -> list[Sold]:
        until = min(_time(state["until"]), self._seen_until())
        since = _time(state["since"])
        dropped, doubled = self.faults.drop_order, self.faults.duplicate_order
        found = [s for s in self.account.orders if since <= s.at < until]
        return [
            sold
            for sold in found
            if sold.order_id not in dropped
            for _ in range(2 if sold.order_id in doubled else 1)
        ]

    def _seen_until(self) -> datetime:
        return self.clock() - timedelta(seconds=self.faults.lag_seconds)

    def _order(self, sold: Sold) -> dict[str, Any]:
        return {
            "orderId": sold.order_id,
            "createdTime": _text(sold.at),
            "lastUpdatedTime": _text(sold.at),
            "salesChannel": {"channelName": "AMAZON", "marketplaceId": MARKETPLACE},
            "fulfillment": {"fulfillmentStatus": "UNSHIPPED", "fulfilledBy": "AMAZON"},
            "proceeds": {
                "grandTotal": {
                    "amount": str(sold.price * sold.quantity), "currencyCode": sold.currency
                }
            },
            "orderItems": [
                {
                    "orderItemId": f"{sold.order_id}-1",
                    "quantityOrdered": sold.quantity,
                    "product": {"sellerSku": sold.sku},
                }
            ],
        }  # fmt: skip

    def _sealed(self, state: Mapping[str, Any]) -> str:
        sealed = {**state, "issued": self.clock().timestamp()}
        return base64.urlsafe_b64encode(json.dumps(sealed).encode()).decode()

    def _opened(self, token: str, lives_seconds: float) -> dict[str, Any]:
        try:
            state: dict[str, Any] = json.loads(base64.urlsafe_b64decode(token))
        except (binascii.Error, ValueError) as error:
            raise Problem(400, "InvalidInput", "the pagination token is not ours") from error
        if self.clock().timestamp() - state["issued"] > lives_seconds:
            raise Problem(400, "InvalidInput", f"the token expired after {lives_seconds:g} s")
        return state


def _oauth(error: str, description: str) -> Answer:
    return Answer(400, {"error": error, "error_description": description})


def _require(query: Mapping[str, str], *names: str) -> None:
    for name in names:
        if not query.get(name):
            raise Problem(400, "InvalidInput", f"{name} is missing")


def _summary(sku: str, level: Any) -> dict[str, Any]:
    return {
        "sellerSku": sku,
        "condition": "NewItem",
        "inventoryDetails": {
            "fulfillableQuantity": level.fulfillable,
            "reservedQuantity": {
                "totalReservedQuantity": level.reserved,
                "pendingCustomerOrderQuantity": level.reserved,
            },
        },
        "lastUpdatedTime": _text(level.at),
        "totalQuantity": level.fulfillable + level.reserved,
    }


def _time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError as error:
        raise Problem(400, "InvalidInput", f"{text!r} is not an ISO 8601 time") from error


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
