"""What happened to traffic and stock during a deployment, as points for the chart."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Point:
    """One look at a canary: weight and each arm's failed share, in percent (None: no request)."""

    at: datetime
    weight: int
    candidate_failed: float | None
    baseline_failed: float | None


@dataclass(frozen=True)
class Divergence:
    """One look at the channels: by how many units stock disagrees in all."""

    at: datetime
    units: int


def points(outcomes: Iterable[Mapping[str, Any]]) -> tuple[Point, ...]:
    """From the outcomes of the watch steps, as the ledger keeps them."""
    return tuple(_point(one) for outcome in outcomes for one in outcome.get("points", ()))


def divergences(outcomes: Iterable[Mapping[str, Any]]) -> tuple[Divergence, ...]:
    """From the outcomes of the check steps."""
    return tuple(
        Divergence(datetime.fromisoformat(one["at"]), one["units"])
        for outcome in outcomes
        for one in outcome.get("divergence", ())
    )


def _point(record: Mapping[str, Any]) -> Point:
    return Point(
        datetime.fromisoformat(record["at"]),
        record["weight"],
        failed_percent(*record["candidate"]),
        failed_percent(*record["baseline"]),
    )


def failed_percent(requests: int, errors: int) -> float | None:
    """
    >>> failed_percent(200, 3), failed_percent(0, 0)
    (1.5, None)
    """
    return 100 * errors / requests if requests else None
