"""Rules that tell when an event is: fixed, after Thanksgiving, lunar, Islamic, or announced.

Dates that need a library (all but the fixed and the announced ones) come as tables; see ``key``.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, Literal
from zoneinfo import available_timezones

from domain.fields import STRICT, OneOf, Range

Status = Literal["confirmed", "tentative"]
Years = Sequence[int]
Tables = Mapping[str, Sequence[date]]
"""By a rule's ``key``, every date in the years asked for."""

MOST_DAYS = 92
_MONTH_AND_DAY = re.compile(r"(\d\d)-(\d\d)")
_LEAP_YEAR = 2028


@dataclass(frozen=True, kw_only=True)
class EveryYear:
    """``shift_days`` after its date an event begins, and it takes ``days`` local days."""

    __pydantic_config__ = STRICT
    shift_days: Annotated[int, Range(-60, 60)] = 0
    days: Annotated[int, Range(1, MOST_DAYS)] = 1


@dataclass(frozen=True, kw_only=True)
class Fixed(EveryYear):
    """The same month and day (``"11-11"``) of every year that has it."""

    kind: Literal["fixed"]
    day: str


@dataclass(frozen=True, kw_only=True)
class Thanksgiving(EveryYear):
    """The United States' Thanksgiving Day."""

    kind: Literal["thanksgiving"]


@dataclass(frozen=True, kw_only=True)
class Lunar(EveryYear):
    """Month and day of the Chinese calendar, not of a leap month: ``"01-01"`` is New Year."""

    kind: Literal["lunar"]
    day: str


@dataclass(frozen=True, kw_only=True)
class Hijri(EveryYear):
    """Month and day of the Umm al-Qura calendar: ``"09-01"`` is the first day of Ramadan."""

    kind: Literal["hijri"]
    day: str


@dataclass(frozen=True)
class Dates:
    """Announced local days, both included; ``source`` tells who said so."""

    __pydantic_config__ = STRICT
    first: date
    last: date
    status: Status = "confirmed"
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class Announced:
    """Days entered by hand, because nobody can compute them."""

    __pydantic_config__ = STRICT
    kind: Literal["announced"]
    dates: tuple[Dates, ...]


@dataclass(frozen=True)
class Span:
    """From one wall-clock time to another; ``time_zone`` "" means each channel's own."""

    __pydantic_config__ = STRICT
    begins: datetime
    ends: datetime
    time_zone: str = ""
    status: Status = "confirmed"
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class Timed:
    """Times entered by hand, for what does not begin and end at midnight."""

    __pydantic_config__ = STRICT
    kind: Literal["timed"]
    times: tuple[Span, ...]


Rule = Annotated[Fixed | Thanksgiving | Lunar | Hijri | Announced | Timed, OneOf()]


def key(rule: Rule) -> str:
    """The table that a rule needs; "" when it needs none.

    >>> key(Lunar(kind="lunar", day="01-01")), key(Fixed(kind="fixed", day="11-11"))
    ('lunar 01-01', '')
    """
    match rule:
        case Thanksgiving():
            return "thanksgiving"
        case Lunar(day=on) | Hijri(day=on):
            return f"{rule.kind} {on}"
    return ""


def spans(rule: Rule, years: Years, tables: Tables) -> tuple[Span, ...]:
    """Every time of the rule that begins in one of ``years``, except that a shift may leave it."""
    match rule:
        case Timed(times=times):
            return tuple(one for one in times if one.begins.year in years)
        case Announced(dates=dates):
            return tuple(_announced(one) for one in dates if one.first.year in years)
        case Fixed(day=on):
            found = [day for year in years if (day := _in_year(year, on))]
            return tuple(_of_days(day, rule) for day in found)
    return tuple(_of_days(day, rule) for day in tables[key(rule)] if day.year in years)


def _announced(one: Dates) -> Span:
    return Span(_midnight(one.first), _midnight(one.last, 1), "", one.status, one.source)


def _of_days(day: date, rule: EveryYear) -> Span:
    return Span(_midnight(day, rule.shift_days), _midnight(day, rule.shift_days + rule.days))


def _midnight(day: date, later_days: int = 0) -> datetime:
    return datetime.combine(day + timedelta(days=later_days), time())


def _in_year(year: int, on: str) -> date | None:
    """29 February is not there every year."""
    try:
        return date(year, *month_and_day(on))
    except ValueError:
        return None


def month_and_day(on: str) -> tuple[int, int]:
    """
    >>> month_and_day("11-09")
    (11, 9)
    """
    found = _MONTH_AND_DAY.fullmatch(on)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def faults(rule: Rule) -> Iterator[str]:
    """What is wrong with a rule beyond its fields' own limits: field, value, limit."""
    match rule:
        case Fixed(day=on) if _in_year(_LEAP_YEAR, on) is None:
            yield f"day is {on!r}: a month and a day like 11-11 are needed"
        case Lunar(day=on) | Hijri(day=on):
            month, day = month_and_day(on)
            if not (1 <= month <= 12 and 1 <= day <= 30):
                yield f"day is {on!r}: 01-01 to 12-30 is needed"
        case Announced(dates=dates):
            for one in dates:
                yield from _length(f"{one.first}", (one.last - one.first).days + 1)
        case Timed(times=times):
            for span in times:
                yield from _times(span)


def _times(span: Span) -> Iterator[str]:
    if span.begins.tzinfo or span.ends.tzinfo:
        yield f"{span.begins} has an offset: a wall-clock time and a time_zone are needed"
        return
    if span.time_zone and span.time_zone not in available_timezones():
        yield f"time_zone is {span.time_zone!r}: no IANA time zone"
    yield from _length(f"{span.begins}", (span.ends - span.begins) / timedelta(days=1))


def _length(begins: str, days: float) -> Iterator[str]:
    if not 0 < days <= MOST_DAYS:
        yield f"what begins {begins} takes {days:g} days: more than 0, at most {MOST_DAYS}"
