"""The way to SP-API: tokens of Login with Amazon, rates, pages."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal

import httpx

from blocks.channels.calls import LIMIT_SECONDS, Budget, Call, Calls, contents
from blocks.channels.login import Granted, Login
from blocks.channels.reading import Tally
from domain.channel import Rate
from domain.errors import BadInput, Unavailable

PINNED = {"orders": "2026-01-01", "stock": "v1", "listings": "2021-08-01"}
RATES = {
    "orders": Rate(0.0056, 20),
    "stock": Rate(2, 2),
    "listings": Rate(5, 5),
    "patch": Rate(5, 5),
}
"""Default usage plans: https://developer-docs.amazon.com/sp-api/docs/usage-plans-and-rate-limits"""


@dataclass(frozen=True)
class AmazonAccess:
    """``marketplace`` is its id; ``seller_id`` is needed for the merchant's own stock only."""

    endpoint: str
    token_endpoint: str
    marketplace: str
    client_id: str
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)
    fulfilment: Literal["amazon", "merchant"] = "amazon"
    seller_id: str = ""


@dataclass(frozen=True)
class Paged:
    """A call that is answered page by page.

    ``rows`` takes a page's rows, ``key`` names what tells them apart, ``token`` the parameter that
    the next page's token goes into. The same rows may come again in another ``scope`` only.
    """

    call: Call
    rows: Callable[[Mapping[str, Any]], list[dict[str, Any]]]
    key: str
    token: str
    scope: str = ""


class SellingPartner:
    """One account; ``rates`` are as Amazon last said in ``x-amzn-RateLimit-Limit``."""

    def __init__(
        self, access: AmazonAccess, budget: Budget, wait_seconds: float,
        now: Callable[[], datetime], pause: Callable[[float], None],
    ) -> None:  # fmt: skip
        self.access = access
        self.rates = dict(RATES)
        self._lwa = httpx.Client(base_url=access.token_endpoint, timeout=LIMIT_SECONDS)
        login = Login(access.token_endpoint, self._log_in, self._granted, now, pause)
        self._calls = Calls(
            httpx.Client(base_url=access.endpoint, timeout=LIMIT_SECONDS), budget, self.rates,
            lambda _: {"x-amz-access-token": login.access_token()}, login.forget,
            lambda _: "", problem, wait_seconds, now, pause,
        )  # fmt: skip

    def ask(self, call: Call, tally: Tally) -> dict[str, Any]:
        """The answer's JSON. Raises Incomplete, Rejected, Unavailable, BadInput as Calls does."""
        answer = self._calls.ask(call, tally)
        known = self.rates[call.operation]
        told = float(answer.headers.get("x-amzn-RateLimit-Limit", known.per_second))
        self.rates[call.operation] = Rate(told, known.burst)
        found: dict[str, Any] = contents(answer)
        return found

    def pages(self, paged: Paged, tally: Tally) -> Iterator[dict[str, Any]]:
        """To the last one. Raises Incomplete when one of them was read before."""
        call = paged.call
        while True:
            page = self.ask(call, tally)
            tally.pages += 1
            for first in paged.rows(page)[:1]:
                tally.new(f"{paged.scope} {first[paged.key]}")
            yield page
            following = page.get("pagination", {}).get("nextToken")
            if not following:
                return
            tally.new(following)
            call = replace(call, parameters={**paged.call.parameters, paged.token: following})

    def _log_in(self) -> httpx.Response:
        form = {
            "grant_type": "refresh_token",
            "client_id": self.access.client_id,
            "client_secret": self.access.client_secret,
            "refresh_token": self.access.refresh_token,
        }
        return self._lwa.post("/auth/o2/token", data=form)

    def _granted(self, answer: httpx.Response) -> Granted:
        if answer.status_code == 200:
            found = answer.json()
            return Granted(found["access_token"], float(found["expires_in"]))
        if answer.status_code not in (400, 401):
            raise Unavailable(f"{self.access.token_endpoint} answered {answer.status_code}")
        grant = "invalid_grant" in answer.text
        wrong = "refresh_token" if grant else "client_id or client_secret"
        raise BadInput(f"{wrong} was refused by {self.access.token_endpoint}")


def problem(answer: httpx.Response) -> str:
    """Amazon's own words."""
    try:
        return "; ".join(f"{one['code']}: {one['message']}" for one in answer.json()["errors"])
    except (ValueError, KeyError, TypeError):
        return ""


def utc(text: str) -> datetime:
    """Amazon's ISO 8601."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


def iso(moment: datetime) -> str:
    """As Amazon wants it."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
