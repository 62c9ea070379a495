"""An independent, slow answer to which tier an instant is in: by the date that a clock shows."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

FIVE_YEARS = range(2026, 2031)
IN_USE = (
    "America/Los_Angeles", "Europe/Berlin", "America/Sao_Paulo", "Asia/Tokyo", "Asia/Singapore",
    "Asia/Shanghai", "Australia/Sydney", "Africa/Cairo",
)  # fmt: skip


def shown(moment: datetime, zone: str) -> date:
    return moment.astimezone(ZoneInfo(zone)).date()


def tier(day: date, first: date, last: date, days: tuple[int, int, int, int]) -> str | None:
    """The tier of a local day around an event on local days ``first`` to ``last``."""
    soft, hard, after, watch = days
    if (first - day).days > soft or (day - last).days > max(watch, after):
        return None
    if (day - last).days > after:
        return "watch"
    return "hard" if (first - day).days <= hard else "soft"


@cache
def changes(zone: str) -> tuple[datetime, ...]:
    """Every second in the five years at which a zone's offset changes, found hour by hour."""
    return tuple(_changes(ZoneInfo(zone)))


def _changes(zone: ZoneInfo) -> Iterator[datetime]:
    now, end = datetime(2025, 10, 1, tzinfo=UTC), datetime(2031, 2, 1, tzinfo=UTC)
    while now < end:
        later = now + timedelta(days=1)
        if now.astimezone(zone).utcoffset() != later.astimezone(zone).utcoffset():
            yield _between(now, later, zone)
        now = later


def _between(now: datetime, later: datetime, zone: ZoneInfo) -> datetime:
    """The first second with the new offset."""
    before = now.astimezone(zone).utcoffset()
    while later - now > timedelta(seconds=1):
        middle = now + timedelta(seconds=(later - now) // timedelta(seconds=2))
        same = middle.astimezone(zone).utcoffset() == before
        now, later = (middle, later) if same else (now, middle)
    return later
