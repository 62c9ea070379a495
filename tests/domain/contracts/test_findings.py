"""Findings: what stops a release, what is told when, and what people read."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import get_args

import pytest

from domain.contracts.countdown import due, supported_until
from domain.contracts.findings import (
    Finding,
    Found,
    aged,
    finding_id,
    objections,
    settled,
    to_tell,
    version_findings,
)
from domain.contracts.notices import Notice, about
from domain.contracts.page import page
from domain.contracts.settings import SurfaceName
from domain.contracts.surfaces import SURFACES, of_channel

NIGHT = datetime(2026, 11, 25, 1, 30, tzinfo=UTC)
TODAY = NIGHT.date()
BROKEN = Finding(
    "c0ffee1234", "amazon", "orders", "breaking", "GET /orders response nextToken", "is missing",
    NIGHT,
)  # fmt: skip


def test_an_open_breaking_finding_stops_the_release_and_says_how_to_accept_it() -> None:
    assert objections([BROKEN]) == (
        "contract of amazon (orders) is broken since 2026-11-25: GET /orders response nextToken is"
        " missing; when the client is ready for it:"
        " tradewind contracts accept c0ffee1234 --by NAME --reason WHY",
    )


@pytest.mark.parametrize(
    "other",
    [
        replace(BROKEN, accepted_by="ann", accepted_at=NIGHT),
        replace(BROKEN, gone_at=NIGHT),
        replace(BROKEN, kind="warning"),
        replace(BROKEN, kind="deprecation", decided_on=TODAY),
        replace(BROKEN, kind="information"),
    ],
)
def test_nothing_else_stops_the_release(other: Finding) -> None:
    assert objections([other]) == ()


def test_a_text_is_agreed_with_when_nobody_has_to_look_at_it() -> None:
    warning = replace(BROKEN, kind="warning")

    assert not settled([BROKEN])
    assert not settled([warning])
    assert settled([replace(warning, accepted_at=NIGHT), replace(BROKEN, kind="information")])


@pytest.mark.parametrize(
    ("days", "threshold"),
    [(181, None), (180, 180), (91, 180), (90, 90), (31, 90), (30, 30), (1, 30), (0, 0), (-5, 0)],
)
def test_the_reached_threshold_is_180_90_30_days_or_overdue(
    days: int, threshold: int | None
) -> None:
    on = date.fromordinal(TODAY.toordinal() + days)

    assert due(on, TODAY) == threshold


def test_each_threshold_is_told_once() -> None:
    ending = replace(BROKEN, kind="deprecation", decided_on=date(2027, 3, 27))
    march = date(2027, 3, 1)

    assert to_tell([ending], TODAY) == ((ending, 180),)
    told = replace(ending, told_days=180)
    assert to_tell([told], TODAY) == ()
    assert to_tell([told], march) == ((told, 30),)
    assert to_tell([replace(ending, gone_at=NIGHT)], march) == ()


def test_what_has_ended_is_breaking() -> None:
    ends = Found("deprecation", "API version 1", "is pinned", TODAY)

    assert [one.kind for one in aged([ends, ends], TODAY)] == ["breaking"]
    assert aged([ends], date(2026, 11, 24)) == (ends,)


def test_a_version_of_shopify_is_supported_for_a_year() -> None:
    assert supported_until("2026-10") == date(2027, 10, 1)


def test_an_answer_of_another_version_is_breaking() -> None:
    (found,) = version_findings("2026-10", "2027-01")

    assert (found.kind, found.detail) == (
        "breaking", "answers are of version 2027-01, pinned is 2026-10",
    )  # fmt: skip
    assert version_findings("2026-10", "2026-10") == ()
    assert version_findings("2026-10", "") == version_findings("", "2026-10") == ()


def test_the_same_finding_has_the_same_id_and_another_one_has_another() -> None:
    found = Found("breaking", "GET /orders", "is missing")

    ids = {
        finding_id("amazon", "orders", found),
        finding_id("amazon", "orders", replace(found)),
        finding_id("amazon", "orders, next", found),
        finding_id("amazon", "orders", replace(found, kind="warning")),
    }

    assert len(ids) == 3


def test_the_page_shows_the_worst_first_and_who_did_not_answer() -> None:
    ending = replace(
        BROKEN, id="e", kind="deprecation", subject="a|b", decided_on=date(2027, 3, 27)
    )
    gone = replace(BROKEN, id="g", gone_at=NIGHT)

    lines = page([ending, gone, BROKEN], {"ebay": "does not answer"}, TODAY).splitlines()

    assert lines[2] == "- **ebay** was not read: does not answer"
    assert lines[-2].startswith("| **breaking** | amazon | orders |")
    assert lines[-1] == (
        "| deprecation | amazon | orders | `a\\|b` is missing | 2026-11-25 |"
        " 2027-03-27 (in 122 days) | `e` |"
    )


def test_a_quiet_night_is_said() -> None:
    assert "Nothing has changed" in page([], {}, TODAY)


def test_every_name_in_shop_yaml_has_a_surface() -> None:
    assert set(get_args(SurfaceName)) == set(SURFACES)


@pytest.mark.parametrize(
    ("title", "touched"),
    [
        ("Inventory API: getInventoryItems is deprecated", True),
        ("Inventory API: createOffer is deprecated", False),
        ("The Fulfillment API is decommissioned", True),
        ("The Trading API is decommissioned", False),
        ("Method GET /sell/inventory/v1/inventory_item of ours", True),
        ("Method GET /sell/inventory/v1/inventory_item_group of ours", False),
    ],
)
def test_only_notices_of_what_is_used_are_told(title: str, touched: bool) -> None:
    notice = Notice(title, "", "https://e.test/1", date(2026, 12, 1), date(2027, 6, 1))

    found = list(about([notice], of_channel("ebay")))

    expected = "deprecated on 2026-12-01, ends on 2027-06-01, https://e.test/1"
    assert [(one.detail, one.decided_on) for one in found] == (
        [(expected, date(2027, 6, 1))] if touched else []
    )
