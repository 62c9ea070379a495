"""What eBay's operations have in common: access, daily limits, the shape of an error, pages."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from examples.marketplace.ebay.login import SELLERS
from examples.marketplace.market import Market

DAY_SECONDS = 86_400
CALLS_A_DAY = {
    "sell.inventory": 2_000_000,
    "sell.fulfillment": 100_000,
    "developer.analytics": 5_000,
}
"""What eBay gives to every app; source: https://developer.ebay.com/develop/get-started/api-call-limits"""


class Problem(Exception):
    """An answer that is an error; ``number`` is eBay's errorId."""

    def __init__(self, status: int, number: int, domain: str, message: str) -> None:
        self.status, self.number, self.domain = status, number, domain
        super().__init__(message)

    def shown(self) -> dict[str, Any]:
        """As an entry of ``errors``."""
        return {
            "errorId": self.number,
            "domain": self.domain,
            "category": "APPLICATION" if self.status >= 500 else "REQUEST",
            "message": str(self),
            "longMessage": str(self),
        }


@dataclass(frozen=True)
class Asked:
    """A request as an operation sees it; ``body`` is its JSON, None when it is none."""

    path: str
    query: QueryParams
    body: Any

    def number(self, name: str, otherwise: int, least: int, most: int) -> int:
        given = self.query.get(name, str(otherwise))
        if not (given.isascii() and given.isdigit() and least <= int(given[:10]) <= most):
            raise wrong(f"Invalid value for {name}. {least} to {most} are allowed")
        return int(given)

    def following(self, offset: int) -> str:
        """The address of the page that begins at ``offset``."""
        return f"{self.path}?{urlencode({**self.query, 'offset': offset})}"


@dataclass(frozen=True)
class Operation:
    """``answer`` raises Problem; ``resource`` is what a call counts against.

    ``prefix`` is of the tokens that may be used, ``parameters`` and ``body`` JSON schemas.
    """

    method: str
    path: str
    resource: str
    answer: Callable[[Market, Asked], dict[str, Any]]
    prefix: str = SELLERS
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None

    def described(self) -> dict[str, Any]:
        """As an operation of an OpenAPI document."""
        found: dict[str, Any] = {
            "parameters": [
                {"name": name, "in": "query", "schema": dict(schema)}
                for name, schema in self.parameters.items()
            ],
            "responses": {
                "200": {"description": "Success"},
                "400": {"description": "Bad Request"},
                "401": {"description": "Unauthorized"},
                "429": {"description": "Too Many Requests"},
            },
        }
        if self.body:
            content = {"application/json": {"schema": dict(self.body)}}
            found["requestBody"] = {"required": True, "content": content}
        return found


def served(market: Market, operation: Operation) -> Route:
    async def respond(request: Request) -> Response:
        try:
            _admit(market, operation, request.headers.get("authorization", ""))
            asked = Asked(request.url.path, request.query_params, await _json(request))
            return JSONResponse(operation.answer(market, asked))
        except Problem as problem:
            return JSONResponse({"errors": [problem.shown()]}, problem.status)

    return Route(operation.path, respond, methods=[operation.method])


def wrong(message: str, number: int = 25709) -> Problem:
    return Problem(400, number, "API_INVENTORY", message)


def requested(asked: Asked, most: int) -> Sequence[Mapping[str, Any]]:
    """What a call about many SKUs names, each SKU once."""
    found = asked.body.get("requests") if isinstance(asked.body, dict) else None
    if not isinstance(found, list) or not found or not all(map(_names, found)):
        raise wrong("Invalid request. Invalid value for field requests")
    if len(found) > most:
        raise wrong(f"The number of InventoryItems in the request cannot exceed {most}.", 25727)
    if len({one["sku"] for one in found}) < len(found):
        raise wrong("SKU should be unique in the request.", 25734)
    return found


def text(moment: datetime) -> str:
    """Milliseconds, as eBay keeps them."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _admit(market: Market, operation: Operation, authorization: str) -> None:
    spoilt = market.faults.spoil()
    calls = CALLS_A_DAY[operation.resource]
    if spoilt == 503:
        raise Problem(503, 25001, "API_INVENTORY", "A system error has occurred.")
    if spoilt == 429 or not market.admitted(operation.resource, calls / DAY_SECONDS, calls):
        said = "Too many requests. The request limit has been reached for the resource."
        raise Problem(429, 2001, "ACCESS", said)
    token = authorization.removeprefix("Bearer ")
    if spoilt == 401 or not market.knows(token):
        raise Problem(401, 1001, "OAuth", "Invalid access token")
    if not token.startswith(operation.prefix):
        raise Problem(403, 1100, "ACCESS", "Access denied")


def _names(one: Any) -> bool:
    return isinstance(one, dict) and isinstance(one.get("sku"), str) and bool(one["sku"])


async def _json(request: Request) -> Any:
    try:
        return json.loads(await request.body() or b"null")
    except (ValueError, RecursionError):
        return None
