"""Deployments as figures see them, in a word each."""

from datetime import UTC, datetime, timedelta
from typing import Any

from domain.figures.facts import Moved

MIDNIGHT = datetime(2026, 11, 2, tzinfo=UTC)


def at(hours: float) -> datetime:
    """So many hours after a Monday began."""
    return MIDNIGHT + timedelta(hours=hours)


def moved(number: int, state: str = "done", **other: Any) -> Moved:
    """The ``number``-th: committed on its hour, met customers half an hour on, ended on the next.

    It moves ``web`` from the version before to its own.
    """
    version = f"2026.11.2.{number}"
    before = f"2026.11.2.{number - 1}" if number > 1 else ""
    fields: dict[str, Any] = {
        "id": number,
        "version": version,
        "environment": "production",
        "kind": "release",
        "state": state,
        "hotfix": False,
        "changes": {"web": (before, version)},
        "committed_at": at(number),
        "created_at": at(number + 0.25),
        "exposed_at": at(number + 0.5),
        "finished_at": at(number + 1),
    }
    return Moved(**{**fields, **other})
