"""Calls to a channel: within its rates, tried again where that helps, counted."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

import httpx

from blocks.channels.reading import Incomplete, Rejected, Tally
from domain.channel import Rate
from domain.errors import Unavailable

LIMIT_SECONDS = 20.0
ATTEMPTS = 5
PAUSE_SECONDS = 0.5
MOST_PAUSE_SECONDS = 60.0
SILENT = "no reason given"


class Budget(Protocol):
    """An account's rates, shared by everybody in Tradewind who asks that account."""

    def spend(self, operation: str, rate: Rate, cost: float, wait_seconds: float) -> bool:
        """Waits until the operation may be called; False when that takes longer than allowed."""
        ...


@dataclass(frozen=True)
class Call:
    """One request: ``operation`` names its budget, of which it takes ``cost``."""

    operation: str
    method: str
    path: str
    parameters: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    json: Any = None
    cost: float = 1


@dataclass
class Calls:
    """The way to one account; nothing else in a client sends anything.

    ``headers(call)`` signs or authorises each attempt anew; ``forget()`` drops a token that was
    refused; ``refusal(answer)`` is the channel's own way to say *too many* ("" when it does not):
    several do so in an answer of 200. ``wait_seconds`` bounds all waiting of one call.
    """

    http: httpx.Client
    budget: Budget
    rates: dict[str, Rate]
    headers: Callable[[Call], Mapping[str, str]]
    forget: Callable[[], None]
    refusal: Callable[[httpx.Response], str]
    problem: Callable[[httpx.Response], str]
    wait_seconds: float = 60.0
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    pause: Callable[[float], None] = time.sleep

    def ask(self, call: Call, tally: Tally) -> httpx.Response:
        """The answer of 2xx.

        Raises Incomplete for any other, Rejected for the channel's no, Unavailable when nobody
        answers.
        """
        deadline = self.now().timestamp() + self.wait_seconds
        for attempt in range(ATTEMPTS):
            answer = self._once(call, tally, deadline)
            said = self._worth_another(answer, tally)
            if not said:
                return self._read(answer, tally)
            pause = _pause(answer, attempt)
            if self.now().timestamp() + pause > deadline or attempt == ATTEMPTS - 1:
                break
            self.pause(pause)
        raise Incomplete(f"{call.path} answered {answer.status_code}: {said}")

    def _once(self, call: Call, tally: Tally, deadline: float) -> httpx.Response:
        left = deadline - self.now().timestamp()
        rate = self.rates[call.operation]
        if not self.budget.spend(call.operation, rate, call.cost, left):
            raise Incomplete(
                f"{call.operation} may be called {rate.per_second:g} times a second:"
                f" no turn within {self.wait_seconds:g} s"
            )
        tally.calls += 1
        return self._sent(call)

    def _sent(self, call: Call) -> httpx.Response:
        for attempt in range(ATTEMPTS):
            try:
                return self.http.request(
                    call.method, call.path, params=dict(call.parameters) or None, json=call.json,
                    headers=dict(self.headers(call)),
                )  # fmt: skip
            except httpx.TransportError as error:
                last = error
                self.pause(PAUSE_SECONDS * attempt / 2)
        raise Unavailable(f"{self.http.base_url} does not answer: {last}")

    def _worth_another(self, answer: httpx.Response, tally: Tally) -> str:
        """Why the call is sent again; "" when the answer is good. Raises Rejected otherwise."""
        refused = self.refusal(answer)
        if refused or answer.status_code == 429:
            tally.refused += 1
            return refused or self.problem(answer) or SILENT
        if answer.is_success:
            return ""
        if answer.status_code in (401, 403):
            self.forget()
        elif answer.status_code < 500:
            problem = self.problem(answer)
            raise Rejected(f"{answer.request.url.path} answered {answer.status_code}: {problem}")
        return self.problem(answer) or SILENT

    def _read(self, answer: httpx.Response, tally: Tally) -> httpx.Response:
        told = answer.headers.get("date")
        if told:
            ahead = parsedate_to_datetime(told) - self.now()
            tally.skew_seconds = ahead.total_seconds()
        return answer


def contents(answer: httpx.Response) -> Any:
    """The answer's JSON, its numbers exact. Raises Incomplete for what is none (a proxy's page)."""
    try:
        return json.loads(answer.content, parse_float=Decimal)
    except ValueError as error:
        raise Incomplete(f"{answer.request.url.path} answered no JSON: {error}") from error


def _pause(answer: httpx.Response, attempt: int) -> float:
    """As ``Retry-After`` says, in seconds or as a date; doubling where it says nothing."""
    told = answer.headers.get("retry-after", "")
    if told.replace(".", "", 1).isdigit():
        return min(float(told), MOST_PAUSE_SECONDS)
    return float(min(PAUSE_SECONDS * 2**attempt, MOST_PAUSE_SECONDS))
