"""The way to a Magento: its tokens, its searches, its words for what is wrong."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

import httpx

from blocks.channels.calls import LIMIT_SECONDS, Budget, Call, Calls, contents
from blocks.channels.login import Granted, Login
from blocks.channels.reading import Tally
from domain.channel import Rate
from domain.errors import BadInput, Unavailable

PINNED = "V1"
RATES = {"stock": Rate(4, 8), "orders": Rate(4, 8), "push": Rate(4, 8)}
"""Magento names no rates; these are ours, so that a shop's own web servers are not held up."""
ADMIN_TOKEN_SECONDS = 4 * 3600.0
PAGE = 100
MOST_ENTITIES = 20
"""What a call may bring where inputs are limited (and a page 300):
https://developer.adobe.com/commerce/webapi/get-started/api-security/"""


@dataclass(frozen=True)
class MagentoAccess:
    """``token`` is an integration's; without it an administrator's name and password are used.

    ``website`` is whose salable stock is read, ``source`` whose units a push sets.
    """

    endpoint: str
    store: str = "default"
    website: str = "base"
    source: str = "default"
    username: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)


@dataclass(frozen=True)
class Search:
    """``where`` are conditions (field, condition, value) that all must hold.

    Of each row only ``fields`` are asked for; ``key`` is the one that tells rows apart.
    """

    operation: str
    path: str
    where: tuple[tuple[str, str, str], ...]
    order_by: str
    key: str
    fields: str

    def parameters(self, number: int, size: int) -> dict[str, str]:
        """Of page ``number``, from 1."""
        criteria = {
            "searchCriteria[pageSize]": str(size),
            "searchCriteria[currentPage]": str(number),
            "searchCriteria[sortOrders][0][field]": self.order_by,
            "searchCriteria[sortOrders][0][direction]": "ASC",
            "fields": f"items[{self.fields}],total_count",
        }
        for place, parts in enumerate(self.where):
            for name, part in zip(("field", "conditionType", "value"), parts, strict=True):
                criteria[f"searchCriteria[filterGroups][{place}][filters][0][{name}]"] = part
        return criteria


class Rest:
    """One store view's REST API."""

    def __init__(
        self, access: MagentoAccess, budget: Budget, wait_seconds: float,
        now: Callable[[], datetime], pause: Callable[[float], None],
    ) -> None:  # fmt: skip
        self.access = access
        root = f"{access.endpoint.rstrip('/')}/rest/{access.store}/V1"
        self._http = httpx.Client(base_url=root, timeout=LIMIT_SECONDS)
        self._login = Login(access.endpoint, self._log_in, self._granted, now, pause)
        self._calls = Calls(
            self._http, budget, dict(RATES), lambda _: {"Authorization": f"Bearer {self._token()}"},
            self._forget, lambda _: "", problem, wait_seconds, now, pause,
        )  # fmt: skip

    def ask(self, call: Call, tally: Tally) -> Any:
        """The answer's JSON. Raises Incomplete, Rejected, Unavailable, BadInput as Calls does."""
        return contents(self._calls.ask(call, tally))

    def page(self, search: Search, number: int, tally: Tally, size: int = PAGE) -> dict[str, Any]:
        parameters = search.parameters(number, size)
        found: dict[str, Any] = self.ask(
            Call(search.operation, "GET", search.path, parameters), tally
        )
        return found

    def found(self, search: Search, tally: Tally) -> Iterator[dict[str, Any]]:
        """All rows, to the page where the total ends: a page past the end repeats the last one.

        Raises Incomplete when a page repeats another. ``tally.reported`` grows by the total.
        """
        before = tally.reported or 0
        for number in count(1):
            page = self.page(search, number, tally)
            tally.pages += 1
            tally.reported = before + page["total_count"]
            rows = page["items"] or []
            for first in rows[:1]:
                tally.new(f"{search.path} {first[search.key]}")
            yield from rows
            if number * PAGE >= page["total_count"]:
                return

    def _token(self) -> str:
        return self.access.token or self._login.access_token()

    def _forget(self) -> None:
        if self.access.token:
            raise BadInput(f"token was refused by {self.access.endpoint}")
        self._login.forget()

    def _log_in(self) -> httpx.Response:
        body = {"username": self.access.username, "password": self.access.password}
        return self._http.post("/integration/admin/token", json=body)

    def _granted(self, answer: httpx.Response) -> Granted:
        if answer.status_code == 200:
            return Granted(answer.json(), ADMIN_TOKEN_SECONDS)
        if answer.status_code in (400, 401):
            raise BadInput(f"username or password was refused by {self.access.endpoint}")
        raise Unavailable(f"{self.access.endpoint} answered {answer.status_code}: no token")


def problem(answer: httpx.Response) -> str:
    """Magento's own words, its parameters put in; they come as a list or by name."""
    try:
        found = answer.json()
        said = str(found["message"])
        parts = [found, *found.get("errors", ())]
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
    for name, value in _parameters(found.get("parameters", ())):
        said = said.replace(f"%{name}", str(value))
    return "; ".join([said, *(str(part["message"]) for part in parts[1:])])


def _parameters(given: Any) -> Iterator[tuple[str, Any]]:
    """By name, or by place from 1.

    >>> list(_parameters(["a", {"fieldName": "sku"}]))
    [('1', 'a'), ('fieldName', 'sku')]
    """
    if isinstance(given, Mapping):
        yield from given.items()
        return
    for place, one in enumerate(given, 1):
        if isinstance(one, Mapping):
            yield from one.items()
        else:
            yield str(place), one
