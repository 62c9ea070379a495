"""Error trackers: what each is told of releases, and asked of the errors in them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

import httpx

from blocks.forges import LIMIT_SECONDS, Calls
from domain.incidents.release import Arm, Cut, Deploy, Issue

PROBE = "Tradewind asks whether events arrive"
"""The message of our own events: no error of the shop."""


class Tracker(Protocol):
    """Raises Unavailable when the tracker does not answer, Refused when it says no."""

    cannot: tuple[str, ...]
    """What this kind of tracker has no place for."""

    def record(self, cut: Cut) -> None:
        """The release and its commits; again changes nothing."""
        ...

    def deployed(self, deploy: Deploy) -> None: ...

    def new_issues(self, arm: Arm) -> tuple[Issue, ...]:
        """Those with events of this arm that no release had before it."""
        ...

    def error_events(self, arm: Arm) -> int:
        """How many of them this arm has, at least."""
        ...

    def has(self, project: str, event: str) -> bool:
        """Whether the event of this id has arrived."""
        ...

    def page(self, project: str, name: str) -> str:
        """Where people see a release's errors."""
        ...


def asking(name: str, url: str, token: str) -> Calls:
    """Questions to a tracker at ``url``, one attempt each: whoever looks will look again."""
    return replace(telling(name, url, token), all_seconds=LIMIT_SECONDS)


def telling(name: str, url: str, token: str) -> Calls:
    """What it is told once, tried several times."""
    http = httpx.Client(
        base_url=url,
        headers={"Authorization": f"Bearer {token}"},
        timeout=LIMIT_SECONDS,
    )
    return Calls(http, f"{name} at {url}")


def text(row: Mapping[str, Any], *names: str) -> str:
    """The named fields that are not empty, as one title."""
    return ": ".join(str(row[name]) for name in names if row.get(name))
