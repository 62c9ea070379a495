"""One shop's Admin GraphQL: signed in, within its points, every answer's errors told."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from blocks.channels.calls import LIMIT_SECONDS, Budget, Call, Calls
from blocks.channels.login import Granted, Login
from blocks.channels.reading import Incomplete, Tally
from blocks.channels.shopify_documents import VERSION
from domain.channel import Quota, Rate
from domain.errors import BadInput

POINTS = "points"
RATES = {POINTS: Rate(100, 2000)}
"""Of the smallest plan; every answer tells this shop's own."""
GUESS = 100.0
"""What a document is taken to cost before an answer has told it."""
TOKEN = "/admin/oauth/access_token"  # noqa: S105
GRAPHQL = f"/admin/api/{VERSION}/graphql.json"


@dataclass(frozen=True)
class ShopifyAccess:
    """One shop, ``location_id`` the place whose stock is pushed.

    Either the ``access_token`` of an app made in the shop's admin, or the id and secret of one made
    in the Dev Dashboard. More than ``bulk_rows`` rows are asked for in bulk.
    """

    endpoint: str
    location_id: str = ""
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    access_token: str = field(default="", repr=False)
    bulk_rows: int = 2000


class Admin:
    """Rates: https://shopify.dev/docs/api/usage/limits"""

    def __init__(
        self, access: ShopifyAccess, budget: Budget, wait_seconds: float = 60,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        pause: Callable[[float], None] = time.sleep,
    ) -> None:  # fmt: skip
        http = httpx.Client(base_url=access.endpoint, timeout=LIMIT_SECONDS)
        self._access = access
        self._login = Login(
            access.endpoint, lambda: http.post(TOKEN, data=_credentials(access)),
            lambda answer: _granted(answer, access.endpoint), now, pause,
        )  # fmt: skip
        self._calls = Calls(
            http, budget, dict(RATES), lambda _: {"X-Shopify-Access-Token": self._token()},
            self._forget, _throttled, _problem, wait_seconds, now, pause,
        )  # fmt: skip
        self._costs: dict[str, float] = {}
        self._left = RATES[POINTS].burst

    def ask(self, document: str, variables: Mapping[str, Any], tally: Tally) -> dict[str, Any]:
        """The answer's data. Raises Incomplete for an error in an answer of 200, too."""
        body = {"query": document, "variables": variables}
        cost = self._costs.get(document, GUESS)
        answer = self._calls.ask(Call(POINTS, "POST", GRAPHQL, json=body, cost=cost), tally)
        tally.pinned = VERSION
        tally.version = answer.headers.get("x-shopify-api-version", "")
        found = answer.json()
        if found.get("errors"):
            raise Incomplete(f"{GRAPHQL} answered {_problem(answer)}")
        self._learn(document, found["extensions"]["cost"])
        told: dict[str, Any] = found["data"]
        return told

    def quota(self) -> Quota:
        """As the last answer told it."""
        rate = self._calls.rates[POINTS]
        return Quota(rate.burst, self._left, rate.burst / rate.per_second, "points")

    def _learn(self, document: str, cost: Mapping[str, Any]) -> None:
        status = cost["throttleStatus"]
        self._costs[document] = float(cost["requestedQueryCost"])
        self._left = float(status["currentlyAvailable"])
        rate = Rate(float(status["restoreRate"]), float(status["maximumAvailable"]))
        self._calls.rates[POINTS] = rate

    def _token(self) -> str:
        return self._access.access_token or self._login.access_token()

    def _forget(self) -> None:
        if self._access.access_token:
            raise BadInput(f"access_token was refused by {self._access.endpoint}")
        self._login.forget()


def _credentials(access: ShopifyAccess) -> dict[str, str]:
    return {
        "grant_type": "client_credentials",
        "client_id": access.client_id,
        "client_secret": access.client_secret,
    }


def _granted(answer: httpx.Response, endpoint: str) -> Granted:
    if not answer.is_success:
        raise BadInput(f"client_id or client_secret was refused by {endpoint}")
    found = answer.json()
    return Granted(found["access_token"], found["expires_in"])


def _throttled(answer: httpx.Response) -> str:
    """Shopify says *too many* in an answer of 200, and there after how long there is enough.

    That goes to where other channels say it, the header that every call obeys.
    """
    if not answer.is_success or "THROTTLED" not in answer.text:
        return ""
    cost = answer.json()["extensions"]["cost"]
    status = cost["throttleStatus"]
    missing = cost["requestedQueryCost"] - status["currentlyAvailable"]
    answer.headers["retry-after"] = f"{max(0.0, missing / status['restoreRate']):.3f}"
    return f"THROTTLED, {missing:g} points are missing"


def _problem(answer: httpx.Response) -> str:
    """Shopify's own messages: a list of them, or one in words."""
    try:
        errors = answer.json()["errors"]
    except (ValueError, KeyError, TypeError):
        return answer.reason_phrase
    if not isinstance(errors, list):
        return str(errors)
    return "; ".join(str(one.get("message")) for one in errors)
