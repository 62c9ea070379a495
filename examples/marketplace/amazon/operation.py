"""What SP-API's operations have in common: access, rates, the shape of an error, page tokens."""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from examples.marketplace.market import Market

MARKETPLACE = "ATVPDKIKX0DER"
SELLER = "A2SELLEROFTHEDEMO"


class Problem(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, code: str, message: str) -> None:
        self.status, self.code = status, code
        super().__init__(message)


@dataclass(frozen=True)
class Asked:
    """A request as an operation sees it; ``body`` is its JSON, None when it is none."""

    path: Mapping[str, Any]
    query: QueryParams
    headers: Mapping[str, str]
    body: Any

    def listed(self, name: str, most: int = 50) -> list[str]:
        """Values given with commas or by repeating the parameter."""
        found = [one for text in self.query.getlist(name) for one in text.split(",") if one]
        if len(found) > most:
            raise wrong(f"{name} has {len(found)} values, at most {most} are allowed")
        return found

    def one_of(self, name: str, known: tuple[str, ...], otherwise: str) -> str:
        given = self.query.get(name, otherwise)
        if given not in known:
            raise wrong(f"{name} is {given!r}, allowed are {', '.join(known)}")
        return given

    def some_of(self, name: str, known: tuple[str, ...]) -> list[str]:
        found = self.listed(name)
        for one in found:
            if one not in known:
                raise wrong(f"{name} has {one!r}, allowed are {', '.join(known)}")
        return found

    def size(self, name: str, otherwise: int, most: int) -> int:
        given = self.query.get(name, str(otherwise))
        if not (given.isascii() and given.isdigit() and 1 <= int(given[:9]) <= most):
            raise wrong(f"{name} is {given!r}, 1 to {most} are allowed")
        return int(given)

    def moment(self, name: str) -> datetime | None:
        return time(self.query[name]) if name in self.query else None

    def place(self) -> None:
        """One marketplace, and ours."""
        if self.listed("marketplaceIds", most=1) != [MARKETPLACE]:
            raise wrong(f"marketplaceIds must be {MARKETPLACE}")


@dataclass(frozen=True)
class Operation:
    """``answer`` raises Problem; ``rate`` a second and ``burst`` are the official ones."""

    name: str
    method: str
    path: str
    rate: float
    burst: int
    answer: Callable[[Market, Asked], dict[str, Any]]


def served(market: Market, operation: Operation) -> Route:
    async def respond(request: Request) -> Response:
        headers = {"x-amzn-RateLimit-Limit": str(operation.rate * market.pace)}
        try:
            _admit(market, operation, request.headers.get("x-amz-access-token", ""))
            asked = Asked(
                request.path_params, request.query_params, request.headers, await _json(request)
            )
            return JSONResponse(operation.answer(market, asked), 200, headers)
        except Problem as problem:
            error = {"code": problem.code, "message": str(problem), "details": ""}
            return JSONResponse({"errors": [error]}, problem.status, headers)

    return Route(operation.path, respond, methods=[operation.method])


def ours(asked: Asked) -> None:
    """Of the seller that the path names, in our marketplace."""
    asked.place()
    if asked.path["seller"] != SELLER:
        raise Problem(403, "Unauthorized", "Access to requested resource is denied.")


def wrong(message: str) -> Problem:
    return Problem(400, "InvalidInput", message)


def time(given: str) -> datetime:
    try:
        moment = datetime.fromisoformat(given)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise wrong(f"{given!r} is not an ISO 8601 time") from error


def text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def sealed(market: Market, state: Any, scope: str) -> str:
    """A page token: good for the same search only, and for a while."""
    whole = [state, scope, market.clock().timestamp()]
    return base64.urlsafe_b64encode(json.dumps(whole).encode()).decode()


def opened(market: Market, token: str, scope: str, lives_seconds: float) -> Any:
    """The state that was sealed into the token."""
    try:
        state, issued_for, at = json.loads(base64.urlsafe_b64decode(token))
        age = market.clock().timestamp() - float(at)
    except (ValueError, TypeError) as error:
        raise wrong("the page token is not ours") from error
    if issued_for != scope:
        raise wrong("the page token belongs to other parameters")
    if age > lives_seconds:
        raise wrong(f"the page token expired after {lives_seconds:g} s")
    return state


def _admit(market: Market, operation: Operation, token: str) -> None:
    spoilt = market.faults.spoil()
    if spoilt == 503:
        raise Problem(503, "ServiceUnavailable", "Service is temporarily unavailable.")
    if spoilt == 429 or not market.admitted(operation.name, operation.rate, operation.burst):
        raise Problem(429, "QuotaExceeded", "You exceeded your quota for the requested resource.")
    if spoilt == 401 or not market.knows(token):
        raise Problem(403, "Unauthorized", "Access to requested resource is denied.")


async def _json(request: Request) -> Any:
    try:
        return json.loads(await request.body() or b"null")
    except (ValueError, RecursionError):
        return None
