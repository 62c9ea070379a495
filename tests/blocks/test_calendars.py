"""The calendar's files: shipped promotions, YAML and iCalendar, against real libraries."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import icalendar
import pytest

from blocks.calendars import Calendars
from blocks.calendars.feasts import tables
from blocks.calendars.files import MOST_BYTES, read, shipped
from blocks.calendars.icalendars import export_ics
from deployments.calendar import CalendarView, Horizon
from domain.calendar.events import Market, Occurrence, objections
from domain.calendar.settings import KINDS, Calendar
from domain.errors import BadInput
from domain.shop import Environment, Shop

YEARS = (2026, 2027)
NOW = datetime(2026, 11, 9, tzinfo=UTC)
MARKETS = (
    Market("amazon-us", "amazon", "America/Los_Angeles"),
    Market("shopee-sg", "shopee", "Asia/Singapore"),
    Market("shop", "shop", "Africa/Cairo"),
)
HEAD = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//test//EN\n"


def calendar(folder: Path, **files: str) -> Calendars:
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)
    names = tuple(name.replace("_", ".") for name in files)
    return Calendars(Calendar(files=names), folder, tuple(one.name for one in MARKETS))


def ics(*events: str) -> str:
    body = "".join(f"BEGIN:VEVENT\nUID:{n}\n{one}\nEND:VEVENT\n" for n, one in enumerate(events))
    return f"{HEAD}{body}END:VCALENDAR\n".replace("\n", "\r\n")


def named(found: tuple[Occurrence, ...], name: str) -> list[Occurrence]:
    return [one for one in found if one.event == name]


def test_dates_of_feasts_are_the_known_ones() -> None:
    years = range(2026, 2031)

    found = tables(["thanksgiving", "lunar 01-01", "hijri 09-01", "hijri 10-01"], years)

    assert found["thanksgiving"] == tuple(
        next(date(y, 11, d) for d in range(22, 29) if date(y, 11, d).weekday() == 3) for y in years
    )
    assert [f"{day:%y%m%d}" for day in found["lunar 01-01"]] == [
        "260217", "270206", "280126", "290213", "300203",
    ]  # fmt: skip
    assert [f"{day:%y%m%d}" for day in found["hijri 09-01"]] == [
        "260218", "270208", "280128", "290116", "300105", "301226",
    ]  # fmt: skip
    assert [f"{day:%y%m%d}" for day in found["hijri 10-01"]][:2] == ["260320", "270309"]


def test_days_that_a_month_does_not_have_are_left_out() -> None:
    found = tables(["lunar 12-30", "hijri 02-30"], range(2025, 2031))

    assert all(len(days) < 6 for days in found.values())


def test_a_year_that_nobody_can_compute_is_refused() -> None:
    with pytest.raises(BadInput, match="year is 2200: 1925 to 2076"):
        tables(["thanksgiving"], [2200])


def test_the_shipped_promotions_are_sound() -> None:
    assert [said for one in shipped() for said in objections(one, KINDS)] == []
    assert {"618", "9.9", "10.10", "11.11", "12.12", "Prime Day", "Ramadan"} <= {
        one.name for one in shipped()
    }


def test_shipped_promotions_run_where_they_belong(tmp_path: Path) -> None:
    found = calendar(tmp_path).occurrences(MARKETS, (2027,))

    def channels(name: str) -> set[str]:
        return {one.channel for one in named(found, name)}

    assert channels("Prime Day") == {"amazon-us"}
    assert channels("12.12") == {"shopee-sg"}
    assert channels("Eid al-Fitr") == {"shop"}
    assert channels("Lunar New Year") == {"shopee-sg"}
    assert channels("Black Friday to Cyber Monday") == {"amazon-us", "shopee-sg", "shop"}


def test_black_friday_2026_holds_from_the_20th_until_cyber_monday_and_two_days(
    tmp_path: Path,
) -> None:
    found = calendar(tmp_path).occurrences(MARKETS, (2026,))

    (black, *_) = named(found, "Black Friday to Cyber Monday")
    (hard,) = (one for one in black.windows if one.tier == "hard")
    assert f"{black.local(hard.begins):%m-%d}" == "11-20"
    assert f"{black.local(hard.ends):%m-%d}" == "12-03"


def test_an_event_of_the_shops_own_replaces_a_shipped_one_of_its_name(tmp_path: Path) -> None:
    own = """
events:
  - name: "11.11"
    rule: {kind: fixed, day: 11-11, days: 2}
    channels: [shopee]
"""
    found = calendar(tmp_path, own_yaml=own).occurrences(MARKETS, (2026,))

    (double,) = named(found, "11.11")
    assert double.channel == "shopee-sg"
    assert double.ends - double.begins == timedelta(days=2)


def test_events_that_mean_nothing_here_are_left_out_but_must_be_known(tmp_path: Path) -> None:
    without = Calendars(Calendar(without=("11.11",)), tmp_path, ())
    unknown = Calendars(Calendar(without=("1.1",)), tmp_path, ())

    assert named(without.occurrences(MARKETS, (2026,)), "11.11") == []
    with pytest.raises(BadInput, match=r"calendar.without has '1.1', known are Lunar New Year"):
        unknown.occurrences(MARKETS, (2026,))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("events: [", "own.yaml is not YAML"),
        ("events: [{name: 11.11}]", "events.0.name is 11.11: input should be a valid string"),
        (
            'events: [{name: a, rule: {kind: fixed, day: "11-31"}}]',
            r"event 1 \(a\): rule.day is '11-31'",
        ),
        (
            "events: [{name: a, rule: {kind: moon}}]",
            "events.0.rule is .*: input tag 'moon' found using 'kind' does not match",
        ),
        (
            "events: [{name: a, rule: {kind: thanksgiving}, channels: [etsy]}]",
            "channels has 'etsy', known are amazon",
        ),
        ("events: [{name: a, rule: {kind: thanksgiving, days: 0}}]", "days is 0: .* equal to 1"),
        ("events: [{name: a, rule: {kind: thanksgiving}, colour: red}]", "colour is 'red'"),
        (
            "events: [&one {name: a, rule: {kind: thanksgiving}}, *one]",
            "a is given twice",
        ),
    ],
)
def test_a_wrong_yaml_file_is_refused_with_place_value_and_limit(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(BadInput, match=said):
        calendar(tmp_path, own_yaml=text).occurrences(MARKETS, YEARS)


def test_a_file_that_is_missing_or_too_large_is_refused(tmp_path: Path) -> None:
    large = tmp_path / "large.yaml"
    large.write_bytes(b"#" * (MOST_BYTES + 1))

    with pytest.raises(BadInput, match="cannot be read: No such file"):
        read(tmp_path / "none.yaml", YEARS, KINDS)
    with pytest.raises(BadInput, match="more than 1048576 bytes"):
        read(large, YEARS, KINDS)


def test_all_day_events_are_each_channels_own_day_every_year(tmp_path: Path) -> None:
    team = ics(
        "SUMMARY:Anniversary\nDTSTART;VALUE=DATE:20250105\nRRULE:FREQ=YEARLY\n"
        "CATEGORIES:shopee,amazon-us\nSTATUS:TENTATIVE\nEXDATE;VALUE=DATE:20270105"
    )

    found = named(calendar(tmp_path, team_ics=team).occurrences(MARKETS, YEARS), "Anniversary")

    assert [one.said(one.begins) for one in found] == [
        "2026-01-05 00:00 Asia/Singapore",
        "2026-01-05 00:00 America/Los_Angeles",
    ]
    assert {one.status for one in found} == {"tentative"}
    assert [w.tier for w in found[0].windows] == ["soft", "hard", "watch"]


def test_timed_events_keep_their_zone_and_floating_ones_are_local(tmp_path: Path) -> None:
    team = ics(
        "SUMMARY:Live\nDTSTART;TZID=Asia/Shanghai:20260617T200000\nDURATION:PT4H\n"
        "X-TRADEWIND-TIER:hard",
        "SUMMARY:Prime time\nDTSTART:20260617T200000\nDTEND:20260617T220000\n"
        "CATEGORIES:shopee-sg\nX-TRADEWIND-TIER:Soft",
        "SUMMARY:Gone\nSTATUS:CANCELLED\nDTSTART:20260617T200000Z\nDTEND:20260617T220000Z",
    )

    found = calendar(tmp_path, team_ics=team).occurrences(MARKETS, YEARS)

    live, prime = named(found, "Live"), named(found, "Prime time")
    assert {one.begins for one in live} == {datetime(2026, 6, 17, 12, tzinfo=UTC)}
    assert [(w.tier, w.ends - w.begins) for w in live[0].windows] == [("hard", timedelta(hours=4))]
    assert [one.said(one.begins) for one in prime] == ["2026-06-17 20:00 Asia/Singapore"]
    assert [w.tier for w in prime[0].windows] == ["soft"]
    assert named(found, "Gone") == []


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ("SUMMARY:a\nDTSTART:20260101T000000Z\nRRULE:FREQ=SECONDLY", "a: it repeats SECONDLY"),
        ("SUMMARY:a\nDTSTART:20260101T000000Z\nRRULE:FREQ=YEARLY;BYSECOND=1,2", "by days only"),
        ("SUMMARY:a\nDTSTART;VALUE=DATE:16010101\nRRULE:FREQ=YEARLY", "from 1601 on: 2000"),
        ("SUMMARY:a\nDTSTART;VALUE=DATE:20260101\nRRULE:FREQ=YEARLY;INTERVAL=0", "INTERVAL is 0"),
        (
            "SUMMARY:a\nDTSTART;VALUE=DATE:20260101\nRRULE:FREQ=WEEKLY;BYMONTHDAY=31",
            "WEEKLY on days of a month",
        ),
        ("SUMMARY:a\nDTSTART;TZID=Mars/One:20260101T000000\nDURATION:P1D", "TZID is 'Mars/One'"),
        (
            "SUMMARY:a\nDTSTART;VALUE=DATE:20260102\nDTEND;VALUE=DATE:20260101",
            "it ends 2026-01-01, before it begins, 2026-01-02",
        ),
        ("SUMMARY:a\nDTSTART:20260101T000000Z\nDURATION:P99999999D", "date value out of range"),
        ("SUMMARY:a\nDTSTART:20260101T000000Z\nX-TRADEWIND-TIER:icy", "X-TRADEWIND-TIER is 'icy'"),
        ("SUMMARY:a\nDTSTART;VALUE=DATE:20260101\nCATEGORIES:Family", "channels has 'Family'"),
        ("DTSTART;VALUE=DATE:20260101", "name has 0 characters"),
        ("SUMMARY:a", "team.ics is no iCalendar"),
        ("SUMMARY:a\nDTSTART:tomorrow", "team.ics is no iCalendar"),
    ],
)
def test_a_wrong_icalendar_file_is_refused(tmp_path: Path, event: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        calendar(tmp_path, team_ics=ics(event)).occurrences(MARKETS, YEARS)


def test_what_is_no_icalendar_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"team\.ics is no iCalendar"):
        calendar(tmp_path, team_ics="hello").occurrences(MARKETS, YEARS)


def test_too_many_events_are_refused(tmp_path: Path) -> None:
    many = ics(*["SUMMARY:a\nDTSTART;VALUE=DATE:20260101"] * 2001)

    with pytest.raises(BadInput, match="2001 events: at most 2000"):
        calendar(tmp_path, team_ics=many).occurrences(MARKETS, YEARS)


def test_who_subscribes_sees_the_same_freezes_second_by_second(tmp_path: Path) -> None:
    ours = calendar(tmp_path).occurrences(MARKETS, (2026,))

    written = export_ics(ours, NOW).decode()

    theirs = calendar(tmp_path, team_ics=written)
    without = tuple(one.name for one in shipped())
    read_back = Calendars(Calendar(files=("team.ics",), without=without), tmp_path, theirs.channels)
    back = read_back.occurrences(MARKETS, range(2025, 2029))
    edges = {edge for one in ours for w in one.windows for edge in (w.begins, w.ends)}
    for moment in (edge + timedelta(seconds=by) for edge in edges for by in (-1, 0)):
        assert tiers(ours, moment) == tiers(back, moment)
    declared = icalendar.Calendar.from_ical(written).walk("VEVENT")
    assert len({str(one["UID"]) for one in declared}) == sum(len(one.windows) for one in ours)


def tiers(known: tuple[Occurrence, ...], moment: datetime) -> set[tuple[str, str, str, str]]:
    return {
        (one.event, one.channel, one.status, found.tier)
        for one in known
        if (found := one.window(moment))
    }


def test_the_command_shows_ninety_days_as_rows_icalendar_page_and_picture(tmp_path: Path) -> None:
    shop = Shop("s", ".", ("production",), {}, {"production": Environment(())})
    settings = Calendar(time_zone="Europe/Berlin")

    view = CalendarView(Calendars(settings, tmp_path, ()), shop, Horizon(NOW))

    (first, *_) = view.shown()["calendar"]
    assert (first["event"], first["tier"], first["channels"]) == ("11.11", "hard", ("shop",))
    assert first["when"] == "2026-11-08 … 2026-11-12"
    assert view.machine()["calendar"][0]["begins"] == "2026-11-08T00:00:00+01:00"
    assert b"SUMMARY:11.11: hard on shop" in view.ics()
    assert "**hard, now**" in view.markdown()
    assert view.svg(390).startswith("<svg")
    with pytest.raises(BadInput, match="days is 0: 1 to 366"):
        Horizon(NOW, 0)
