"""What Shopee's operations have in common: signature, token, rates, errors in a body of 200."""

import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import uuid4

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from examples.marketplace.market import Market

CLIENT = {
    "partner_id": "2001887",
    "partner_key": "demo-partner-key",
    "shop_id": "14701711",
    "refresh_token": "demo-refresh",
}
SHOPS_APP = {
    **CLIENT,
    "partner_id": "2001888",
    "partner_key": "demo-shop-partner-key",
    "refresh_token": "demo-shop-refresh",
}
"""The shop's own app: each app the seller has let in has refresh tokens of its own."""
APPS = {one["partner_id"]: one for one in (CLIENT, SHOPS_APP)}
STAMP_SECONDS = 300
MOST_DIGITS = 15
RATE, BURST = 10, 10


class Problem(Exception):
    """An answer that is an error; most come with status 200."""

    def __init__(self, error: str, message: str, status: int = 200) -> None:
        self.error, self.status = error, status
        super().__init__(message)


@dataclass
class App:
    """How many calls it may still make today (None: as many as it likes), and if it has pushes."""

    left: int | None = None
    pushes: bool = True

    def take(self) -> bool:
        if self.left is None:
            return True
        self.left -= 1
        return self.left >= 0


@dataclass(frozen=True)
class Asked:
    """A request as an operation sees it; ``body`` is its JSON, None when it is none."""

    query: QueryParams
    body: Any

    def text(self, name: str) -> str:
        found = self.query.get(name, "")
        if not found:
            raise wrong(f"There is no {name} in query.")
        return found

    def number(self, name: str, least: int, most: int) -> int:
        given = self.text(name)
        if not is_number(given) or not least <= int(given) <= most:
            raise wrong(f"{name} is {given[:40]!r}, {least} to {most} are allowed")
        return int(given)

    def listed(self, name: str, most: int) -> list[str]:
        found = [one for one in self.text(name).split(",") if one]
        if not 1 <= len(found) <= most:
            raise wrong(f"{name} has {len(found)} values, 1 to {most} are allowed")
        return found


@dataclass(frozen=True)
class Operation:
    """``answer`` raises Problem; one ``of_app`` is signed without a shop's token."""

    name: str
    method: str
    path: str
    answer: Callable[[Market, Asked], dict[str, Any]]
    of_app: bool = False


def served(market: Market, app: App, operation: Operation) -> Route:
    async def respond(request: Request) -> Response:
        try:
            _admit(market, app, operation, request.query_params)
            asked = Asked(request.query_params, await parsed(request))
            return envelope(response=operation.answer(market, asked))
        except Problem as problem:
            return refused(problem)

    return Route(operation.path, respond, methods=[operation.method])


def envelope(status: int = 200, **stated: Any) -> Response:
    whole = {"error": "", "message": "", "warning": "", "request_id": uuid4().hex, **stated}
    return JSONResponse(whole, status)


def refused(problem: Problem) -> Response:
    return envelope(problem.status, error=problem.error, message=str(problem))


def wrong(message: str) -> Problem:
    return Problem("error_param", message)


def is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS


def signature_of(query: QueryParams, path: str, *of_shop: str) -> str:
    base = "".join((query["partner_id"], path, query["timestamp"], *of_shop))
    key = APPS[query["partner_id"]]["partner_key"]
    return hmac.new(key.encode(), base.encode(), sha256).hexdigest()


def check_signature(market: Market, query: QueryParams, path: str, *names: str) -> None:
    """Of the app, and of the shop where its parameters are ``names``."""
    for name in ("partner_id", "timestamp", "sign", *names):
        if not query.get(name):
            raise Problem("error_param", f"There is no {name} in query.", 403)
    if query["partner_id"] not in APPS:
        raise Problem("error_param", "Invalid partner_id.", 403)
    stamp = query["timestamp"]
    now = market.now().timestamp()
    if not is_number(stamp) or abs(now - int(stamp)) > STAMP_SECONDS:
        raise Problem("error_param", "Invalid timestamp.", 403)
    right = signature_of(query, path, *(query[name] for name in names))
    if not hmac.compare_digest(query["sign"].encode(), right.encode()):
        raise Problem("error_sign", "Wrong sign.", 403)


async def parsed(request: Request) -> Any:
    try:
        return json.loads(await request.body() or b"null")
    except (ValueError, RecursionError):
        return None


def _admit(market: Market, app: App, operation: Operation, query: QueryParams) -> None:
    names = () if operation.of_app else ("access_token", "shop_id")
    check_signature(market, query, operation.path, *names)
    spoilt = market.faults.spoil()
    if spoilt == 503:
        raise Problem("error_server", "Something wrong. Please try later.", 503)
    if names and (spoilt == 401 or not market.knows(query["access_token"])):
        raise Problem("invalid_acceess_token", "Invalid access_token.", 403)
    if names and query["shop_id"] != CLIENT["shop_id"]:
        raise Problem("error_permission", "No permission to this shop.", 403)
    if operation.of_app and not app.pushes:
        raise wrong("No push is configured for this app.")
    if not app.take():
        raise Problem("error_limit", "The calls of your app exceed the daily limit.")
    if spoilt == 429 or not market.admitted(operation.name, RATE, BURST):
        raise Problem("error_rate_limit", "Too many requests. Please slow down.")
