"""The way to Shopee's Open Platform: signed, within the rates, errors read from the body."""

import json
import logging
from collections.abc import Callable, Generator
from datetime import datetime
from decimal import Decimal
from typing import Any

import httpx

from blocks.channels.calls import LIMIT_SECONDS, Budget, Call, Calls
from blocks.channels.reading import Incomplete, Rejected, Tally
from blocks.channels.shopee.session import Session
from blocks.channels.shopee.signing import ShopeeAccess, error_of, is_about_the_token, signed
from domain.channel import Rate

PINNED = {"open": "v2"}
"""In every path; no answer tells the version."""
RATES = dict.fromkeys(
    ("items", "item", "models", "orders", "order", "pushes", "update"), Rate(10, 10)
)
"""Shopee publishes none (only its daily cap, in the console): a cautious guess, not verified."""
TOO_MANY = "error_rate_limit"
BUSY = ("error_limit", "error_server", "error_network", "error_inner")
"""About Shopee or the day's cap; all other errors are about the call."""
FOR_THE_APP = "/api/v2/push/"
"""Operations that are signed without a shop's token."""

logging.getLogger("httpx").addFilter(lambda line: "access_token=" not in line.getMessage())
"""Shopee wants the token in the address, which httpx logs."""


class OpenPlatform:
    """One shop's operations."""

    def __init__(
        self, access: ShopeeAccess, budget: Budget, wait_seconds: float,
        now: Callable[[], datetime], pause: Callable[[float], None],
    ) -> None:  # fmt: skip
        plain = httpx.Client(base_url=access.endpoint, timeout=LIMIT_SECONDS)
        signature = Signature(Session(access, plain, now, pause))
        http = httpx.Client(base_url=access.endpoint, timeout=LIMIT_SECONDS, auth=signature)
        self.shop_id = access.shop_id
        self.now = now
        self._calls = Calls(
            http, budget, dict(RATES), lambda _: {}, lambda: None, _refusal, _problem, wait_seconds,
            now, pause,
        )  # fmt: skip

    def ask(self, call: Call, tally: Tally) -> dict[str, Any]:
        """The ``response`` of the answer, numbers as Decimal.

        Raises Rejected for Shopee's no, Incomplete when it is busy or the day's calls are used up,
        and what Calls and Session raise.
        """
        tally.pinned = PINNED["open"]
        answer = self._calls.ask(call, tally)
        error, message = error_of(answer)
        if error:
            kind = Incomplete if error in BUSY else Rejected
            raise kind(f"{call.path} answered {error}: {message}")
        try:
            found: dict[str, Any] = json.loads(answer.text, parse_float=Decimal)["response"]
        except (ValueError, KeyError, TypeError) as wrong:
            raise Incomplete(f"{call.path} answered no JSON of Shopee's") from wrong
        return found


class Signature(httpx.Auth):
    """Signs each request as it goes; again, with another token, when Shopee refused the one used.

    That Shopee says in the body, under different codes and statuses.
    """

    requires_response_body = True

    def __init__(self, session: Session) -> None:
        self._session = session

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        path = request.url.path
        token = "" if path.startswith(FOR_THE_APP) else self._session.access_token()
        answer = yield self._signed(request, token)
        if token and is_about_the_token(*error_of(answer)):
            self._session.forget(token)
            yield self._signed(request, self._session.access_token())

    def _signed(self, request: httpx.Request, token: str) -> httpx.Request:
        common = signed(self._session.access, request.url.path, self._session.now(), token)
        request.url = request.url.copy_merge_params(common)
        return request


def _refusal(answer: httpx.Response) -> str:
    error, message = error_of(answer)
    return f"{error}: {message}" if error == TOO_MANY else ""


def _problem(answer: httpx.Response) -> str:
    error, message = error_of(answer)
    return f"{error}: {message}" if error else ""
