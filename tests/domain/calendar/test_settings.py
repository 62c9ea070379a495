"""What shop.yaml may say of the calendar, and how people read it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest

from domain.account import EbayChannel
from domain.calendar.events import Event, Market, Occurrence, occurrences
from domain.calendar.page import between, entries, page, rows
from domain.calendar.picture import Frame, picture
from domain.calendar.rules import Fixed
from domain.calendar.settings import KINDS, Calendar, Facts, markets, objections
from domain.calendar.tiers import Lengths

FACTS = Facts(("web", "sync"), ("staging", "production"), ("ebay-us",))
NOW = datetime(2026, 11, 9, tzinfo=UTC)
SALE = Event(name='11.11 <"&', rule=Fixed(kind="fixed", day="11-11"))
MAYBE = Event(name="Prime Day", rule=Fixed(kind="fixed", day="12-20"), status="tentative")


def known(*channels: str) -> tuple[Occurrence, ...]:
    found = [Market(name, "ebay", "Asia/Tokyo") for name in channels]
    return occurrences([SALE, MAYBE], found, [2026], {}, Lengths())


def test_a_calendar_that_agrees_with_the_shop_is_fine() -> None:
    settings = Calendar(
        files=("own.yaml", "team.ics"), time_zone="Europe/Berlin", guarded=("sync",),
        scope={"sync": ("ebay-us", "shop")},
    )  # fmt: skip

    assert objections(settings, FACTS) == ()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (Calendar(environments=("prod",)), "calendar.environments has 'prod', known are staging,"),
        (Calendar(guarded=("x",)), "calendar.guarded has 'x', known are web, sync"),
        (Calendar(scope={"x": ()}), "calendar.scope has 'x', known are web, sync"),
        (Calendar(scope={"web": ("etsy",)}), "calendar.scope.web has 'etsy', known are ebay-us"),
        (Calendar(scope={"web": ("shop",)}), "calendar.scope.web has 'shop', known are ebay-us"),
        (Calendar(time_zone="Mars"), "calendar.time_zone is 'Mars': no IANA time zone"),
        (Calendar(files=("a.csv",)), "calendar.files.0 is 'a.csv': .yaml, .yml, .ics are read"),
        (Calendar(soft_days=2), "calendar.soft_days is 2: at least hard_days, 3, is needed"),
        (Calendar(watch_days=0), "calendar.watch_days is 0: at least after_days, 1, is needed"),
    ],
)
def test_each_disagreement_is_named_with_its_place(settings: Calendar, said: str) -> None:
    ((where, text),) = objections(settings, FACTS)

    assert text.startswith(said)
    assert where[0] == "calendar"


def test_the_shops_own_pages_are_a_channel_where_they_have_customers() -> None:
    ebay = EbayChannel(
        kind="ebay", endpoint="", time_zone="Asia/Tokyo", client_id="", client_secret="",
        refresh_token="",
    )  # fmt: skip

    assert markets(Calendar(), {"e": ebay}) == (Market("e", "ebay", "Asia/Tokyo"),)
    own = markets(Calendar(time_zone="Europe/Berlin"), {})
    assert own == (Market("shop", "shop", "Europe/Berlin"),)
    assert set(KINDS) == {"amazon", "ebay", "shopee", "shopify", "magento", "shop"}


def test_channels_whose_clocks_show_the_same_are_one_row() -> None:
    holds = between(known("a", "b"), NOW, NOW + timedelta(days=10))

    found = rows(holds)

    assert [(row.when, row.tier, row.channels) for row in found] == [
        ("2026-11-08 … 2026-11-12", "hard", ("a", "b")),
        ("2026-11-13 … 2026-11-14", "watch", ("a", "b")),
    ]


def test_programs_get_every_channel_with_its_own_offset() -> None:
    (first, *_) = entries(between(known("a"), NOW, NOW + timedelta(days=1)))

    assert first["begins"] == "2026-11-08T00:00:00+09:00"
    assert (first["event"], first["channel"], first["tier"]) == ('11.11 <"&', "a", "hard")


def test_the_page_marks_what_holds_now_and_what_is_tentative() -> None:
    text = page(between(known("a"), NOW, NOW + timedelta(days=60)), ["a note"], NOW)

    assert "- a note" in text
    assert "| **hard, now** | 2026-11-08 … 2026-11-12 |" in text
    assert "Prime Day (tentative)" in text
    assert page((), (), NOW).endswith("Nothing is in the way.")


@pytest.mark.parametrize("width", [390, 1280])
def test_the_picture_is_one_file_without_anything_from_outside(width: int) -> None:
    frame = Frame(NOW - timedelta(days=7), NOW + timedelta(days=90), NOW, width)

    drawn = picture(known("a", "b"), frame)

    tree = ElementTree.fromstring(drawn)  # noqa: S314, it is our own
    names = {element.tag.rpartition("}")[2] for element in tree.iter()}
    assert names <= {"svg", "style", "title", "rect", "line", "text", "g"}
    assert "http" not in drawn.replace("http://www.w3.org/2000/svg", "")
    assert "today 09 Nov" in drawn
    assert "Prime Day?" in drawn


@pytest.mark.parametrize("width", [390, 800, 1280])
def test_no_label_and_no_bar_lies_over_another(width: int) -> None:
    events = [
        replace(SALE, name=f"a promotion {day}", rule=Fixed(kind="fixed", day=f"11-{day}"))
        for day in range(10, 30, 2)
    ]
    many = occurrences(events, [Market("a", "ebay", "UTC")], [2026], {}, Lengths())
    frame = Frame(NOW, NOW + timedelta(days=90), NOW, width)

    tree = ElementTree.fromstring(picture(many, frame))  # noqa: S314, it is our own

    labels = [
        (one.get("y"), float(one.get("x", 0)), float(one.get("x", 0)) + 6.5 * len(one.text or ""))
        for one in tree.iter("{http://www.w3.org/2000/svg}text")
        if (one.text or "").startswith("a promotion")
    ]
    assert len(labels) == 10
    assert all(right <= width for _, _, right in labels)
    for number, (y, left, right) in enumerate(labels):
        others = labels[:number]
        assert not any(y == row and left < end and begin < right for row, begin, end in others)
