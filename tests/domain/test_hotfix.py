"""A hotfix: what it needs, how much shorter its way is, and its clock."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.hotfix import Hotfix, Wanted, clock, key, objections, reminder, shortened
from domain.shop import Canary, HotfixRules

ASKED = datetime(2026, 11, 11, 2, 0, tzinfo=UTC)
FIX = Hotfix("2026.11.11.1", "storefront", "INC-4711", ASKED, ASKED + timedelta(minutes=30), None)
WANTED = Wanted("storefront", "INC-4711", "checkout answers 500", ("storefront",), "")


def test_a_hotfix_with_an_incident_a_reason_and_a_change_has_no_objection() -> None:
    assert objections(WANTED) == ()


def test_every_objection_to_a_hotfix_is_listed_at_once() -> None:
    found = objections(Wanted("shop", " ", "broken", ("storefront",), "2026.11.10.4"))

    assert found == (
        "service is 'shop', known are storefront",
        "incident is empty: a hotfix belongs to one, as INC-4711",
        "reason has 6 characters, at least 10 are needed",
        "nothing of shop differs from 2026.11.10.4, which serves: the fix is elsewhere",
    )


def test_the_same_fix_of_the_same_incident_has_the_same_key() -> None:
    asked = ("sample-shop", "storefront", "c0ffee", "INC-4711")

    assert key(*asked) == key(*asked)
    assert len({key(*asked), key(*asked[:3], "INC-4712"), key(*asked[:2], "beef", asked[3])}) == 3


def test_no_step_is_ever_longer_than_the_usual_one() -> None:
    usual = Canary(bake_seconds=5, step_timeout_seconds=1000, alpha=0.02)

    short = shortened(usual, HotfixRules(bake_seconds=30, step_timeout_seconds=300))

    assert (short.bake_seconds, short.step_timeout_seconds) == (5, 300)
    assert short.weights == (25, 100)
    assert short == replace(
        usual, weights=short.weights, bake_seconds=5, step_timeout_seconds=300
    ), "the verdict itself is as strict as ever"


@given(st.integers(-3600, 7200))
def test_the_clock_never_shows_less_than_nothing_or_more_than_all(seconds: int) -> None:
    seen = clock(FIX, ASKED + timedelta(seconds=seconds), "canary")

    assert 0 <= seen.percent <= 100
    assert seen.late == (seconds > 1800)
    assert ("over the deadline" in seen.text) == seen.late


def test_the_reminder_names_branch_commit_and_incident() -> None:
    said = reminder(FIX, "c0ffee0000000000", "main")

    assert "c0ffee0000" in said
    assert "not in main" in said
    assert "INC-4711" in said
