"""When an event is on a channel: rules, zones, times of its own, and what is refused."""

from datetime import UTC, date, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calendar.events import (
    Event,
    Market,
    Occurrence,
    instant,
    objections,
    occurrences,
    runs_on,
    undated,
)
from domain.calendar.rules import (
    Announced,
    Dates,
    Fixed,
    Hijri,
    Lunar,
    Rule,
    Span,
    Thanksgiving,
    Timed,
    faults,
    spans,
)
from domain.calendar.tiers import Lengths, Window, windows

DOUBLE_ELEVEN = Event(name="11.11", rule=Fixed(kind="fixed", day="11-11"))


def one(event: Event, zone: str, year: int = 2026, **tables: tuple[date, ...]) -> Occurrence:
    (found,) = occurrences([event], [Market("m", "ebay", zone)], [year], tables, Lengths())
    return found


@pytest.mark.parametrize(
    ("zone", "begins"),
    [
        ("Asia/Tokyo", "2026-11-10T15:00"),
        ("Asia/Singapore", "2026-11-10T16:00"),
        ("Europe/Berlin", "2026-11-10T23:00"),
        ("America/Sao_Paulo", "2026-11-11T03:00"),
        ("America/Los_Angeles", "2026-11-11T08:00"),
    ],
)
def test_double_eleven_begins_at_midnight_of_each_marketplace(zone: str, begins: str) -> None:
    assert one(DOUBLE_ELEVEN, zone).begins == datetime.fromisoformat(begins).replace(tzinfo=UTC)


def test_a_day_has_23_25_or_24_hours_as_the_clock_has() -> None:
    def hours(day: str) -> float:
        found = one(Event(name="sale", rule=Fixed(kind="fixed", day=day)), "Europe/Berlin")
        return (found.ends - found.begins).total_seconds() / 3600

    assert [hours(day) for day in ("03-29", "10-25", "11-11")] == [23, 25, 24]


def test_a_day_whose_midnight_is_skipped_begins_at_one_o_clock() -> None:
    cairo = one(Event(name="sale", rule=Fixed(kind="fixed", day="04-24")), "Africa/Cairo")

    assert cairo.begins == datetime(2026, 4, 23, 22, tzinfo=UTC)
    assert cairo.said(cairo.begins) == "2026-04-24 01:00 Africa/Cairo"


def test_an_hour_that_is_there_twice_is_meant_the_first_time() -> None:
    assert instant(datetime(2026, 10, 25, 2, 30), "Europe/Berlin") == datetime(
        2026, 10, 25, 0, 30, tzinfo=UTC
    )


def test_times_with_a_zone_are_the_same_moment_everywhere_and_floating_ones_are_not() -> None:
    evening, end = datetime(2026, 6, 17, 20), datetime(2026, 6, 19)
    shanghai = Event(
        name="618",
        rule=Timed(kind="timed", times=(Span(evening, end, "Asia/Shanghai"),)),
    )
    floating = Event(name="618", rule=Timed(kind="timed", times=(Span(evening, end),)))

    assert one(shanghai, "Europe/Berlin").begins == datetime(2026, 6, 17, 12, tzinfo=UTC)
    assert one(floating, "Europe/Berlin").begins == datetime(2026, 6, 17, 18, tzinfo=UTC)


def test_an_event_within_a_skipped_hour_is_never_turned_round() -> None:
    span = Span(datetime(2026, 3, 29, 2, 30), datetime(2026, 3, 29, 3))
    event = Event(name="flash", rule=Timed(kind="timed", times=(span,)), tier="hard")

    found = one(event, "Europe/Berlin")

    assert found.begins <= found.ends
    assert found.windows == ()


def test_the_tiers_of_a_promotion_follow_each_other() -> None:
    found = one(DOUBLE_ELEVEN, "UTC")

    assert [(w.tier, f"{w.begins:%m-%d}", f"{w.ends:%m-%d}") for w in found.windows] == [
        ("soft", "10-28", "11-08"),
        ("hard", "11-08", "11-13"),
        ("watch", "11-13", "11-15"),
    ]


def test_black_friday_is_frozen_from_a_week_before_until_two_days_after_cyber_monday() -> None:
    black = Event(
        name="black",
        rule=Thanksgiving(kind="thanksgiving", shift_days=1, days=4),
        hard_days=7,
        after_days=2,
    )

    found = one(black, "America/Los_Angeles", thanksgiving=(date(2026, 11, 26),))

    (hard,) = (w for w in found.windows if w.tier == "hard")
    assert found.said(hard.begins) == "2026-11-20 00:00 America/Los_Angeles"
    assert found.said(hard.ends) == "2026-12-03 00:00 America/Los_Angeles"


def test_an_event_with_a_tier_is_a_window_of_it_and_no_more() -> None:
    freeze = Event(name="stocktaking", rule=Fixed(kind="fixed", day="02-01"), tier="soft")

    found = one(freeze, "UTC")

    assert found.windows == (Window("soft", found.begins, found.ends),)


def test_a_tier_with_days_of_its_own_is_no_stricter_than_it() -> None:
    event = Event(
        name="quiet", rule=Fixed(kind="fixed", day="02-10"), tier="soft", hard_days=2, watch_days=1
    )

    assert [w.tier for w in one(event, "UTC").windows] == ["soft", "watch"]


def test_lunar_and_islamic_dates_come_from_the_tables_even_twice_a_year() -> None:
    ramadan = Event(name="ramadan", rule=Hijri(kind="hijri", day="09-01", days=30))
    tables = {"hijri 09-01": (date(2030, 1, 5), date(2030, 12, 26))}

    found = occurrences([ramadan], [Market("m", "ebay", "UTC")], [2030], tables, Lengths())

    assert [f"{one.begins:%m-%d}" for one in found] == ["01-05", "12-26"]


def test_an_event_runs_on_channels_by_name_or_kind_and_in_zones_or_areas() -> None:
    amazon = Market("amazon-us", "amazon", "America/Los_Angeles")
    shopee = Market("shopee-sg", "shopee", "Asia/Singapore")

    def on(**limits: tuple[str, ...]) -> list[str]:
        event = Event(name="x", rule=Fixed(kind="fixed", day="01-01"), **limits)  # type: ignore[arg-type]
        return [one.name for one in (amazon, shopee) if runs_on(event, one)]

    assert on() == ["amazon-us", "shopee-sg"]
    assert on(channels=("shopee",)) == ["shopee-sg"]
    assert on(channels=("amazon-us",)) == ["amazon-us"]
    assert on(zones=("Asia/",)) == ["shopee-sg"]
    assert on(zones=("America/Los_Angeles",)) == ["amazon-us"]
    assert on(channels=("shopee",), zones=("America/",)) == []


def test_announced_events_without_dates_are_named() -> None:
    prime = Event(
        name="Prime Day",
        channels=("amazon",),
        rule=Announced(kind="announced", dates=(Dates(date(2026, 6, 23), date(2026, 6, 26)),)),
    )
    amazon, ebay = Market("a", "amazon", "UTC"), Market("e", "ebay", "UTC")

    assert undated([prime, DOUBLE_ELEVEN], [amazon], 2026) == ()
    assert undated([prime, DOUBLE_ELEVEN], [ebay], 2027) == ()
    assert undated([prime, DOUBLE_ELEVEN], [amazon], 2027) == (
        "Prime Day has no dates in 2027 yet: enter them when they are announced",
    )


def test_29_february_is_only_in_leap_years() -> None:
    assert len(spans(Fixed(kind="fixed", day="02-29"), range(2026, 2031), {})) == 1


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (Fixed(kind="fixed", day="02-30"), "day is '02-30'"),
        (Fixed(kind="fixed", day="Nov 11"), "day is 'Nov 11'"),
        (Lunar(kind="lunar", day="13-01"), "day is '13-01'"),
        (
            Announced(kind="announced", dates=(Dates(date(2026, 7, 8), date(2026, 7, 7)),)),
            "what begins 2026-07-08 takes 0 days",
        ),
        (
            Timed(kind="timed", times=(Span(datetime(2026, 7, 8), datetime(2027, 7, 8)),)),
            "takes 365 days: more than 0, at most 92",
        ),
        (
            Timed(kind="timed", times=(Span(datetime(2026, 7, 8), datetime(2026, 7, 9), "Mars"),)),
            "time_zone is 'Mars': no IANA time zone",
        ),
        (
            Timed(
                kind="timed",
                times=(Span(datetime(2026, 7, 8, tzinfo=UTC), datetime(2026, 7, 9)),),
            ),
            "has an offset",
        ),
    ],
)
def test_a_wrong_rule_is_named_with_its_value_and_limit(rule: Rule, said: str) -> None:
    assert any(said in fault for fault in faults(rule))


def test_an_event_names_only_channels_and_zones_that_there_are() -> None:
    event = Event(
        name=" ", rule=Fixed(kind="fixed", day="01-01"), channels=("etsy",), zones=("Asia",)
    )

    assert list(objections(event, ["amazon"])) == [
        "name has 0 characters: 1 to 80 are needed",
        "channels has 'etsy', known are amazon",
        "zones has 'Asia': no IANA time zone, and no area like Asia/",
    ]


@given(
    st.integers(0, 60), st.integers(0, 60), st.integers(0, 60), st.integers(0, 60),
    st.sampled_from(["hard", "soft", "watch"]),
)  # fmt: skip
def test_tiers_have_neither_gaps_nor_overlaps(
    soft: int, hard: int, after: int, watch: int, most: str
) -> None:
    begins, ends = datetime(2026, 11, 11), datetime(2026, 11, 12)

    found = windows(begins, ends, Lengths(soft, hard, after, watch), most)  # type: ignore[arg-type]

    assert all(a.ends == b.begins and a.tier != b.tier for a, b in pairwise(found))
    assert any(w.begins <= begins and ends <= w.ends and w.tier == most for w in found)
