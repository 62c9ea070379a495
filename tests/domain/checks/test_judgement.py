"""What fails, what is inconclusive, what passes, and what never takes a release back."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.checks.catalogue import ALL, BY_ID, CHECKS
from domain.checks.evidence import Evidence, Outcome
from domain.checks.formulas import allowed
from domain.checks.judgement import findings, judged, verdict
from domain.checks.looks import Divergence, New, Part, Usual
from domain.checks.sampling import Sample
from domain.checks.settings import Checks

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
BY_ROWS = tuple(
    check.id
    for check in CHECKS
    if check.id not in ("PAG-01", "INV-02", "INV-09", "ORD-07", "LAG-01", "HOOK-01", "RATE-01",
                        "VER-01")
)  # fmt: skip
CHECKED = dict.fromkeys(BY_ROWS, 1000)
CLEAN = Part(CHECKED)


def row(check: str, number: int = 1) -> Divergence:
    return Divergence("ebay-us", check, f"SKU-{number}", "3", "5", "", AT)


def new(check: str, count: int, top: int = 0) -> dict[str, New]:
    return {check: New(count, top, tuple(row(check, number) for number in range(count)))}


def evidence(**other: object) -> Evidence:
    known = {"channel": "ebay-us", "baseline": (CLEAN,) * 3, "first": CLEAN, "again": CLEAN}
    return Evidence(**{**known, **other})  # type: ignore[arg-type]


def outcome(check: str, seen: Evidence, checks: Checks | None = None) -> Outcome:
    (found,) = (one for one in judged(seen, checks or Checks()) if one.check == check)
    return found


def test_every_check_has_one_outcome_on_a_channel_or_across_them() -> None:
    of_a_channel = [one.check for one in judged(evidence(), Checks())]
    across = [one.check for one in judged(evidence(channel=ALL), Checks())]

    assert sorted((*of_a_channel, *across)) == sorted(BY_ID)
    assert across == ["INV-02"]


def test_clean_looks_pass() -> None:
    assert verdict(judged(evidence(), Checks()), "critical") == "pass"


@pytest.mark.parametrize("check", [one for one in BY_ROWS if one != "INV-01"])
def test_one_new_violation_where_none_is_usual_fails(check: str) -> None:
    found = outcome(check, evidence(new=new(check, 1)))

    assert found.result == "fail"
    assert "1 of 1000 new, 0 allowed (SKU-0: 3 here, 5 there, since 2026-11-20" in found.detail


def test_what_stood_before_or_did_not_last_is_not_counted() -> None:
    dirty = Part(CHECKED, {"INV-07": 40})

    found = outcome("INV-07", evidence(baseline=(dirty,) * 3, first=dirty, again=dirty))

    assert found.result == "pass"


def test_as_many_as_usual_pass_and_more_fail() -> None:
    usual = {"INV-05": Usual(changing=6, compared=3000)}

    assert outcome("INV-05", evidence(usual=usual, new=new("INV-05", 6))).result == "pass"
    assert outcome("INV-05", evidence(usual=usual, new=new("INV-05", 7))).result == "fail"


def test_what_grows_since_the_opening_is_measured_by_the_worst_window() -> None:
    grown = (
        Part({**CHECKED, "INV-07": 0}),
        Part(CHECKED, {"INV-07": 2}),
        Part(CHECKED, {"INV-07": 8}),
    )

    assert outcome("INV-07", evidence(baseline=grown, new=new("INV-07", 27))).result == "pass"
    assert outcome("INV-07", evidence(baseline=grown, new=new("INV-07", 28))).result == "fail"


def test_three_more_orders_are_not_new_where_some_were_wrong_before() -> None:
    stood = Part(CHECKED, {"ORD-05": 7, "INV-06": 7, "ORD-01": 7})
    seen = {"baseline": (stood,) * 3, "first": stood, "again": stood}

    assert outcome("ORD-05", evidence(**seen, new=new("ORD-05", 3))).result == "pass"
    assert outcome("ORD-05", evidence(**seen, new=new("ORD-05", 4))).result == "fail"
    assert outcome("INV-06", evidence(**seen, new=new("INV-06", 1))).result == "fail"
    assert outcome("ORD-01", evidence(**seen, new=new("ORD-01", 1))).result == "fail"


def test_the_floor_is_always_allowed_except_where_nothing_is() -> None:
    lenient = Checks(floor=5)

    assert outcome("ORD-03", evidence(new=new("ORD-03", 5)), lenient).result == "pass"
    assert outcome("ORD-03", evidence(new=new("ORD-03", 6)), lenient).result == "fail"
    assert outcome("ORD-01", evidence(new=new("ORD-01", 1)), lenient).result == "fail"


def test_drift_fails_beyond_its_share_or_at_a_best_seller() -> None:
    assert outcome("INV-01", evidence(new=new("INV-01", 5))).result == "pass"
    assert outcome("INV-01", evidence(new=new("INV-01", 6))).result == "fail"
    top = outcome("INV-01", evidence(new=new("INV-01", 1, top=1)))
    assert top.result == "fail"
    assert "of 1 of the 100 best sellers too many are offered" in top.detail


def test_best_sellers_that_usually_drift_are_allowed_to() -> None:
    usual = {"INV-01": Usual(changing=60, compared=3000)}

    assert outcome("INV-01", evidence(usual=usual, new=new("INV-01", 3, top=3))).result == "pass"


def test_at_most_five_rows_are_told() -> None:
    found = outcome("ORD-05", evidence(new=new("ORD-05", 9)))

    assert "SKU-4" in found.detail
    assert "SKU-5" not in found.detail
    assert len(found.rows) == 9


def test_nothing_compared_where_something_was_is_inconclusive() -> None:
    nothing = Part({**CHECKED, "ORD-04": 0})

    found = outcome("ORD-04", evidence(first=nothing, again=nothing))

    assert (found.result, found.detail) == (
        "inconclusive", "nothing was compared, something was before",
    )  # fmt: skip


def test_what_was_suspicious_and_not_looked_at_again_is_inconclusive() -> None:
    first, again = Part(CHECKED, {"ORD-04": 2}), Part({**CHECKED, "ORD-04": 0})

    assert outcome("ORD-04", evidence(first=first, again=again)).result == "inconclusive"


@pytest.mark.parametrize("check", ["INV-04", "INV-10"])
def test_nothing_sold_out_and_nothing_waiting_is_no_gap(check: str) -> None:
    before, done = Part(CHECKED, {check: 2}), Part({**CHECKED, check: 0})

    assert outcome(check, evidence(first=done, again=done)).result == "pass"
    assert outcome(check, evidence(first=before, again=done)).result == "pass"


def test_nothing_to_compare_before_and_after_passes() -> None:
    quiet = Part({**CHECKED, "ORD-06": 0})

    found = outcome("ORD-06", evidence(baseline=(quiet,), first=quiet, again=quiet))

    assert found.result == "pass"


def test_a_check_that_is_not_declared_is_off() -> None:
    without = Part({check: 10 for check in BY_ROWS if check != "INV-10"})

    found = outcome("INV-10", evidence(baseline=(without,), first=without, again=without))

    assert (found.result, found.detail) == ("off", "not declared")


def test_a_check_made_before_and_left_out_now_is_inconclusive() -> None:
    without = Part({check: 10 for check in BY_ROWS if check != "INV-10"})

    assert outcome("INV-10", evidence(first=without, again=without)).result == "inconclusive"


@pytest.mark.parametrize("side", ["first", "again"])
def test_an_answer_that_is_not_whole_never_passes_and_never_blames(side: str) -> None:
    cut = Part(CHECKED, {"ORD-01": 900}, unknown="a page is missing")

    outcomes = judged(evidence(**{side: cut}, new=new("ORD-01", 900)), Checks())

    assert verdict(outcomes, "critical") == "inconclusive"
    assert not findings(outcomes)
    assert {one.detail for one in outcomes if one.check == "PAG-01"} == {"a page is missing"}


def test_a_failure_outweighs_another_channels_silence() -> None:
    failed = judged(evidence(new=new("ORD-04", 1)), Checks())
    unknown = judged(evidence(first=Part(unknown="refused")), Checks())

    assert verdict((*unknown, *failed), "critical") == "fail"


def test_a_lesser_failure_is_told_and_takes_nothing_back() -> None:
    outcomes = judged(evidence(new=new("ORD-08", 3)), Checks())

    assert verdict(outcomes, "critical") == "pass"
    assert verdict(outcomes, "high") == "fail"
    assert [one.check for one in findings(outcomes)] == ["ORD-08"]


def test_findings_come_worst_first() -> None:
    outcomes = judged(evidence(new={**new("INV-06", 1), **new("ORD-05", 1)}), Checks())

    assert [one.severity for one in findings(outcomes)] == ["critical", "high"]


def test_nothing_judged_at_all_is_not_a_pass() -> None:
    assert verdict((), "critical") == "inconclusive"


def test_a_clean_sample_says_how_much_it_leaves_unseen() -> None:
    large = Sample(tuple(map(str, range(1000))), drawn=900, rest=100_000)

    found = outcome("INV-04", evidence(sample=large))

    assert found.result == "pass"
    assert "at most 330 of 100000 others at 95 % confidence, 500 allowed" in found.detail


def test_a_sample_that_says_too_little_is_inconclusive() -> None:
    small = Sample(tuple(map(str, range(200))), drawn=100, rest=100_000)

    assert outcome("INV-01", evidence(sample=small)).result == "inconclusive"
    assert outcome("ORD-01", evidence(sample=small)).result == "pass"


def test_a_violation_in_a_sample_fails_however_small_it_is() -> None:
    small = Sample(("SKU-0", "SKU-1"), drawn=2, rest=100_000)

    assert outcome("INV-04", evidence(sample=small, new=new("INV-04", 1))).result == "fail"


@given(st.integers(0, 3000), st.integers(1, 3000), st.integers(0, 5000), st.integers(0, 50))
def test_what_is_allowed_is_at_least_the_floor_and_the_usual(
    changing: int, compared: int, now: int, floor: int
) -> None:
    usual = Usual(min(changing, compared), compared)

    limit = allowed(usual, now, floor)

    assert limit >= max(floor, int(usual.changing * now / compared))
    assert limit <= max(floor, now * usual.changing / compared + 1.5 * now**0.5)


def test_details_name_the_moment_a_divergence_began() -> None:
    late = Divergence("ebay-us", "ORD-05", "111-1", "A x 1", "A x 2", "", AT + timedelta(hours=1))

    found = outcome("ORD-05", evidence(new={"ORD-05": New(1, 0, (late,))}))

    assert "111-1: A x 1 here, A x 2 there, since 2026-11-20 13:00:00" in found.detail


def test_what_kept_going_wrong_before_the_release_may_go_on() -> None:
    usual = {"ORD-04": Usual(changing=4, compared=3000, keys=3)}
    longer = {"usual": usual, "exposure": 2.0}

    assert outcome("ORD-04", evidence(new=new("ORD-04", 18), **longer)).result == "pass"
    assert outcome("ORD-04", evidence(new=new("ORD-04", 19), **longer)).result == "fail"
