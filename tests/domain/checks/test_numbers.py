"""Checks of one number: unusual, late, massive, lost, refused, of another version."""

from dataclasses import replace
from math import exp, fsum, lgamma, log
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.checks.evidence import Evidence, Outcome
from domain.checks.formulas import moved, percentile, poisson_p
from domain.checks.judgement import judged
from domain.checks.looks import Measures, New, Part
from domain.checks.settings import Checks

USUAL = Measures(
    changed_share=0.01, volume=(20, 20, 20.0), lag_seconds=200, lag_orders=200,
    days={"2026-11-19": (900, 900), "2026-11-20": (400, 400)}, events=(1000, 1000, 0),
    calls=300, refused=1, remaining=0.9, version="2026-10", pinned="2026-10",
)  # fmt: skip
NOT_WHOLE = "a page is missing"


def evidence(before: Measures = USUAL, history: tuple[Part, ...] = (), **after: Any) -> Evidence:
    now = Part({"TZ-01": 500}, measures=replace(USUAL, **after))
    baseline = (Part({"TZ-01": 400}, measures=before),) * 3
    return Evidence("shopify-own", baseline, now, now, history=history)


def outcome(check: str, seen: Evidence) -> Outcome:
    (found,) = (one for one in judged(seen, Checks()) if one.check == check)
    return found


@pytest.mark.parametrize(
    "check", ["INV-09", "ORD-07", "LAG-01", "TZ-01", "HOOK-01", "RATE-01", "VER-01", "PAG-01"]
)
def test_the_usual_passes(check: str) -> None:
    assert outcome(check, evidence()).result == "pass"


@pytest.mark.parametrize(
    ("check", "after", "said"),
    [
        ("INV-09", {"changed_share": 0.6}, "60.0% of SKUs changed by more than half, 20.0%"),
        ("ORD-07", {"volume": (4, 21, 20.0)}, "4 orders here, 21 there, 20.0 expected"),
        ("ORD-07", {"volume": (60, 21, 20.0)}, "60 orders here, 21 there, 20.0 expected"),
        ("LAG-01", {"lag_seconds": 401.0}, "95 % of 200 orders within 401.0 s, 400.0 s allowed"),
        ("TZ-01", {"days": {"a": (880, 900), "b": (420, 400)}}, "7 of 500 new, 0 allowed"),
        ("HOOK-01", {"events": (994, 1000, 0)}, "994 of 1000 events received"),
        ("HOOK-01", {"events": (1000, 1000, 2)}, "2 lost by the channel's own word"),
        ("RATE-01", {"refused": 4}, "4 of 300 calls refused, 90% of the quota remain"),
        ("RATE-01", {"remaining": 0.2}, "20% of the quota remain"),
        ("VER-01", {"version": "2027-01"}, "2027-01 answered, 2026-10 pinned"),
    ],
)
def test_the_unusual_fails(check: str, after: dict[str, Any], said: str) -> None:
    found = outcome(check, evidence(**after))

    assert found.result == "fail"
    assert said in found.detail


@pytest.mark.parametrize(
    ("check", "lacking"),
    [
        ("INV-09", {"changed_share": None}),
        ("ORD-07", {"volume": None}),
        ("LAG-01", {"lag_seconds": None}),
        ("HOOK-01", {"events": None}),
    ],
)
def test_a_number_that_is_not_there_any_more_is_inconclusive(
    check: str, lacking: dict[str, Any]
) -> None:
    never = replace(USUAL, **lacking)

    assert outcome(check, evidence(**lacking)).result == "inconclusive"
    assert outcome(check, evidence(never, **lacking)).result == "off"


def test_a_number_is_unusual_only_when_both_looks_say_so() -> None:
    once = Part({"TZ-01": 1}, measures=replace(USUAL, volume=(0, 30, 20.0), lag_seconds=800))
    seen = replace(evidence(), first=once)

    assert outcome("ORD-07", seen).result == "pass"
    assert outcome("LAG-01", seen).result == "pass"


def test_no_order_on_either_side_suspects_the_channel() -> None:
    found = outcome("ORD-07", evidence(volume=(0, 0, 20.0)))

    assert found.result == "inconclusive"
    assert "suspect the channel" in found.detail


def test_a_rush_of_buyers_on_both_sides_is_no_fault() -> None:
    assert outcome("ORD-07", evidence(volume=(160, 162, 20.0))).result == "pass"


def test_fewer_buyers_on_both_sides_are_told() -> None:
    assert outcome("ORD-07", evidence(volume=(3, 3, 20.0))).result == "fail"


def test_a_lag_of_few_orders_is_not_judged() -> None:
    found = outcome("LAG-01", evidence(lag_seconds=500.0, lag_orders=29))

    assert (found.result, found.detail) == ("pass", "only 29 orders, 30 are needed to judge")


def test_the_agreed_lag_holds_where_nothing_is_known() -> None:
    before = Measures(lag_seconds=400, lag_orders=3)

    assert outcome("LAG-01", evidence(before, lag_seconds=899.0)).result == "pass"
    assert outcome("LAG-01", evidence(before, lag_seconds=901.0)).result == "fail"


def test_a_lag_that_fits_three_times_into_the_settle_window_is_not_late() -> None:
    before = replace(USUAL, lag_seconds=20)

    assert outcome("LAG-01", evidence(before, lag_seconds=299.0)).result == "pass"
    assert outcome("LAG-01", evidence(before, lag_seconds=301.0)).result == "fail"


def test_twice_the_usual_lag_is_still_no_more_than_agreed() -> None:
    before = Measures(lag_seconds=600, lag_orders=200)

    assert outcome("LAG-01", evidence(before, lag_seconds=899.0)).result == "pass"
    assert outcome("LAG-01", evidence(before, lag_seconds=901.0)).result == "fail"


def test_massive_change_is_measured_against_enough_looks() -> None:
    weeks = tuple(Part(measures=Measures(changed_share=0.3)) for _ in range(20))

    assert outcome("INV-09", evidence(history=weeks, changed_share=0.3)).result == "pass"
    assert outcome("INV-09", evidence(history=weeks, changed_share=0.31)).result == "fail"
    assert outcome("INV-09", evidence(history=weeks[1:], changed_share=0.3)).result == "fail"


def test_a_shop_that_never_changes_may_change_a_little() -> None:
    quiet = tuple(Part(measures=Measures(changed_share=0.0)) for _ in range(30))

    assert outcome("INV-09", evidence(history=quiet, changed_share=0.05)).result == "pass"
    assert outcome("INV-09", evidence(history=quiet, changed_share=0.06)).result == "fail"


def test_a_shifted_order_counts_although_its_day_is_right() -> None:
    seen = replace(evidence(), new={"TZ-01": New(1)})

    assert outcome("TZ-01", seen).result == "fail"


def test_orders_that_an_honest_lag_books_after_midnight_pass() -> None:
    seen = evidence(days={"a": (890, 900), "b": (410, 400)})

    assert outcome("TZ-01", seen).result == "pass"


def test_days_that_were_wrong_before_are_not_new() -> None:
    days = {"a": (700, 900), "b": (600, 400)}

    assert outcome("TZ-01", evidence(replace(USUAL, days=days), days=days)).result == "pass"


def test_a_version_that_answered_before_is_told_and_not_blamed() -> None:
    found = outcome("VER-01", evidence(replace(USUAL, version="2027-01"), version="2027-01"))

    assert (found.result, found.detail) == ("pass", "2027-01 answered, 2026-10 pinned, as before")


def test_events_lost_before_the_release_are_not_its_own() -> None:
    before = replace(USUAL, events=(1000, 1000, 2))

    assert outcome("HOOK-01", evidence(before, events=(1000, 1000, 2))).result == "pass"


def test_an_answer_that_is_not_whole_is_judged_only_for_itself() -> None:
    cut = replace(evidence(refused=200, volume=(0, 20, 20.0), changed_share=0.9))
    cut = replace(cut, first=replace(cut.first, unknown=NOT_WHOLE))
    results = {one.check: one.result for one in judged(cut, Checks())}

    assert results["RATE-01"] == "fail"
    assert results["VER-01"] == "pass"
    assert {results[check] for check in ("INV-09", "ORD-07", "LAG-01", "TZ-01", "HOOK-01")} == {
        "inconclusive"
    }


@given(st.integers(0, 400), st.floats(0.01, 300))
def test_the_poisson_tail_is_the_sum_of_its_terms(count: int, expected: float) -> None:
    def chance(k: int) -> float:
        return exp(k * log(expected) - expected - lgamma(k + 1))

    lower = fsum(chance(k) for k in range(count + 1))
    upper = fsum(chance(k) for k in range(count, 1200))

    assert poisson_p(count, expected) == pytest.approx(min(1, 2 * min(lower, upper)), abs=1e-9)


@given(st.lists(st.floats(0, 1), min_size=1), st.floats(0, 1))
def test_a_percentile_covers_its_share(values: list[float], share: float) -> None:
    limit = percentile(values, share)

    assert sum(value <= limit for value in values) >= share * len(values) - 1e-9


@given(st.dictionaries(st.text(max_size=2), st.integers(0, 50), min_size=2), st.integers(0, 9))
def test_orders_moved_to_the_next_day_are_counted(there: dict[str, int], shifted: int) -> None:
    (first, last), *_ = [(min(there), max(there))]
    here = {**there, first: there[first] - shifted, last: there[last] + shifted}

    assert moved({day: (here[day], there[day]) for day in there}) == shifted
