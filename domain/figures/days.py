"""Deployments by the calendar: each day of a period, in the time zone of whoever reads it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from domain.figures.facts import Moved

RESULTS = ("done", "rolled back", "halted", "refused")


@dataclass(frozen=True)
class Day:
    """How many deployments ended how on one day."""

    day: date
    ends: Mapping[str, int]


def days(moved: Iterable[Moved], since: datetime, until: datetime, zone: tzinfo) -> tuple[Day, ...]:
    """Every day that the period touches, also those on which nothing ended."""
    found: dict[date, Counter[str]] = {}
    day, last = since.astimezone(zone).date(), _last(until, zone)
    while day <= last:
        found[day] = Counter()
        day += timedelta(days=1)
    for one in moved:
        if one.finished_at is not None and since <= one.finished_at < until:
            found[one.finished_at.astimezone(zone).date()][one.state] += 1
    return tuple(Day(day, dict(ends)) for day, ends in found.items())


def _last(until: datetime, zone: tzinfo) -> date:
    """The period ends just before ``until``."""
    return (until - timedelta(microseconds=1)).astimezone(zone).date()
