"""Five years of decisions, around every edge and every change of the clocks, against an oracle."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.calendar.events import Event, Market, Occurrence, occurrences
from domain.calendar.rules import Announced, Dates, Fixed, Hijri, Lunar, Thanksgiving
from domain.calendar.standing import standing
from domain.calendar.tiers import TIERS, Lengths
from tests.domain.calendar.zones import FIVE_YEARS, IN_USE, changes, shown, tier

SECOND = timedelta(seconds=1)
USUAL = (14, 3, 1, 3)
THANKSGIVINGS = (date(2025, 11, 27), date(2026, 11, 26), date(2027, 11, 25), date(2028, 11, 23),
                 date(2029, 11, 22), date(2030, 11, 28), date(2031, 11, 27))  # fmt: skip
NEW_YEARS = (date(2025, 1, 29), date(2026, 2, 17), date(2027, 2, 6), date(2028, 1, 26),
             date(2029, 2, 13), date(2030, 2, 3), date(2031, 1, 23))  # fmt: skip
RAMADANS = (date(2025, 3, 1), date(2026, 2, 18), date(2027, 2, 8), date(2028, 1, 28),
            date(2029, 1, 16), date(2030, 1, 5), date(2030, 12, 26),
            date(2031, 12, 15))  # fmt: skip
TABLES = {"thanksgiving": THANKSGIVINGS, "lunar 01-01": NEW_YEARS, "hijri 09-01": RAMADANS}
PRIME = (date(2026, 6, 23), date(2026, 6, 26))

EVENTS = (
    *(Event(name=day, rule=Fixed(kind="fixed", day=day))
      for day in ("06-18", "09-09", "10-10", "11-11", "12-12", "03-29", "04-24", "01-01")),
    Event(name="black", rule=Thanksgiving(kind="thanksgiving", shift_days=1, days=4),
          hard_days=7, after_days=2),
    Event(name="new year", rule=Lunar(kind="lunar", day="01-01", shift_days=-1, days=4)),
    Event(name="ramadan", rule=Hijri(kind="hijri", day="09-01", days=30)),
    Event(name="prime", rule=Announced(kind="announced", dates=(Dates(*PRIME),))),
)  # fmt: skip
AROUND = range(2025, 2032)


def days_of(event: Event) -> list[tuple[date, date]]:
    """First and last local day, computed apart from the code under test."""
    match event.name:
        case "black":
            return [(day + timedelta(days=1), day + timedelta(days=4)) for day in THANKSGIVINGS]
        case "new year":
            return [(day - timedelta(days=1), day + timedelta(days=2)) for day in NEW_YEARS]
        case "ramadan":
            return [(day, day + timedelta(days=29)) for day in RAMADANS]
        case "prime":
            return [PRIME]
    month, day = map(int, event.name.split("-"))
    return [(date(year, month, day), date(year, month, day)) for year in AROUND]


ALL_DAYS = [
    (first, last, (14, 7, 2, 3) if event.name == "black" else USUAL)
    for event in EVENTS
    for first, last in days_of(event)
]


def oracle(moment: datetime, zone: str) -> str | None:
    day = shown(moment, zone)
    found = {tier(day, first, last, days) for first, last, days in ALL_DAYS} - {None}
    return next((one for one in TIERS if one in found), None)


@cache
def calendar(zone: str) -> tuple[Occurrence, ...]:
    return occurrences(EVENTS, (Market("one", "shopify", zone),), AROUND, TABLES, Lengths())


def decided(moment: datetime, known: Sequence[Occurrence]) -> str | None:
    return standing(moment, known).tiers.get("one")


def edges(known: Sequence[Occurrence], zone: str) -> Iterator[datetime]:
    """A second before, at and after each edge and each change of the clock, in the five years."""
    moments = {
        edge for one in known for window in one.windows for edge in (window.begins, window.ends)
    }
    for moment in {*moments, *changes(zone)}:
        if moment.year in FIVE_YEARS:
            yield from (moment - SECOND, moment, moment + SECOND)


@pytest.mark.parametrize("zone", IN_USE)
def test_every_decision_around_every_edge_and_every_change_of_the_clock_is_right(
    zone: str,
) -> None:
    known = calendar(zone)

    asked = list(edges(known, zone))
    wrong = [moment for moment in asked if decided(moment, known) != oracle(moment, zone)]

    assert len(asked) > 600
    assert wrong == []


@pytest.mark.parametrize("zone", IN_USE)
def test_five_years_at_every_37th_hour_are_in_the_tier_of_their_local_day(zone: str) -> None:
    known = calendar(zone)
    begins = datetime(2026, 1, 1, tzinfo=UTC)
    asked = [begins + timedelta(hours=hours) for hours in range(0, 5 * 365 * 24, 37)]

    wrong = [moment for moment in asked if decided(moment, known) != oracle(moment, zone)]

    assert wrong == []


@given(
    zone=st.sampled_from(sorted(available_timezones())),
    moment=st.datetimes(datetime(2026, 1, 1), datetime(2030, 12, 31), timezones=st.just(UTC)),
)
@settings(max_examples=60, deadline=None)
def test_any_moment_in_any_zone_is_decided_as_its_clock_says(zone: str, moment: datetime) -> None:
    known = calendar(zone)
    near = min(known, key=lambda one: abs(one.begins - moment))
    moments = [moment, *(w.begins + by for w in near.windows for by in (-SECOND, 0 * SECOND))]

    for one in (*moments, *(change - SECOND for change in changes(zone)), *changes(zone)):
        assert decided(one, known) == (
            oracle(one, zone) if one.year in FIVE_YEARS else decided(one, known)
        )


@given(
    zone=st.sampled_from(IN_USE),
    day=st.dates(date(2026, 1, 1), date(2030, 12, 31)),
    more=st.integers(0, 40),
    lengths=st.tuples(st.integers(0, 30), st.integers(0, 14), st.integers(0, 5), st.integers(0, 9)),
    by=st.integers(-60 * 86_400, 100 * 86_400),
)
@settings(max_examples=200, deadline=None)
def test_an_event_of_any_length_with_any_tiers_is_decided_as_its_days_say(
    zone: str, day: date, more: int, lengths: tuple[int, int, int, int], by: int
) -> None:
    last = day + timedelta(days=more)
    event = Event(
        name="sale", rule=Announced(kind="announced", dates=(Dates(day, last),)),
        soft_days=lengths[0], hard_days=lengths[1], after_days=lengths[2], watch_days=lengths[3],
    )  # fmt: skip
    known = occurrences([event], [Market("one", "ebay", zone)], [day.year], {}, Lengths())
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(seconds=by)

    days = (max(lengths[:2]), *lengths[1:])
    for one in (moment, *(w.begins for w in known[0].windows), *(w.ends for w in known[0].windows)):
        for at in (one - SECOND, one, one + SECOND):
            assert decided(at, known) == tier(shown(at, zone), day, last, days)
