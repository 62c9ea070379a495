"""What a drill came to against what was agreed, and what that means for production."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.drills.judgement import (
    Drill,
    Measured,
    gone_wrong,
    judged,
    lost_seconds,
    not_possible,
    refusals,
    standings,
    warnings,
)
from domain.drills.settings import Agreed, Drills

DAY = datetime(2026, 11, 24, 9, tzinfo=UTC)
ONLY_ROLLBACK = Drills(kinds=("rollback",))
seconds = st.floats(0, 1e6)


def drill(result: str, days_ago: float, reason: str = "") -> Drill:
    at = DAY - timedelta(days=days_ago)
    return Drill(
        1, "rollback", "staging", "run", "ann", 60, 0, result, reason,  # type: ignore[arg-type]
        None, None, {}, at, at,
    )  # fmt: skip


@given(seconds, seconds, st.floats(0.001, 1e5), st.floats(0, 1e5))
def test_a_drill_passes_exactly_when_both_times_are_within_what_was_agreed(
    rto: float, rpo: float, most_rto: float, most_rpo: float
) -> None:
    outcome = judged(Measured(rto, rpo), Agreed(most_rto, most_rpo))

    assert (outcome.result == "passed") == (rto <= most_rto and rpo <= most_rpo)
    assert (outcome.reason == "") == (outcome.result == "passed")


def test_a_time_that_is_not_known_is_no_pass() -> None:
    assert judged(Measured(None), Agreed(60)).result == "failed"
    assert judged(Measured(1.0, None), Agreed(60, 60)).result == "failed"
    assert gone_wrong("cut off").result == "failed"
    assert not_possible("one version only").result == "not possible"


@given(st.lists(st.booleans(), max_size=8), st.integers(0, 3))
def test_nothing_is_lost_exactly_when_every_order_and_every_row_is_there(
    there: list[bool], rows_lost: int
) -> None:
    markers = [(10.0 + number, one) for number, one in enumerate(there)]

    lost = lost_seconds(markers, rows_lost, backup_at=5.0, loss_at=20.0)

    assert (lost == 0) == (all(there) and rows_lost == 0)
    assert 0 <= lost <= 15.0


def test_nothing_is_due_before_there_was_something_to_drill() -> None:
    (found,) = standings(ONLY_ROLLBACK, (), None, DAY)

    assert found.state == "good"
    assert warnings(ONLY_ROLLBACK, [found]) == ()


def test_a_kind_that_was_never_drilled_is_overdue_after_the_agreed_days() -> None:
    (young,) = standings(ONLY_ROLLBACK, (), DAY - timedelta(days=99), DAY)
    (old,) = standings(ONLY_ROLLBACK, (), DAY - timedelta(days=101), DAY)

    assert (young.state, old.state) == ("good", "overdue")
    assert warnings(ONLY_ROLLBACK, [old]) == (
        "the drill 'rollback' never passed; it was due on 2026-11-23, every 100 days",
    )


def test_what_is_not_possible_neither_passes_nor_fails() -> None:
    tried = drill("not possible", 1, "there is no version before")
    since = DAY - timedelta(days=200)

    (overdue,) = standings(ONLY_ROLLBACK, [tried], since, DAY)
    (good,) = standings(ONLY_ROLLBACK, [tried, drill("passed", 50)], since, DAY)

    assert overdue.state == "overdue"
    assert "was not possible: there is no version before" in overdue.said
    assert good.state == "good"


def test_the_rule_says_whether_a_failed_drill_warns_or_refuses() -> None:
    strict = replace(ONLY_ROLLBACK, failed="refuse")
    rows = [drill("failed", 1, "recovered after 9.0 s against 5 s"), drill("passed", 2)]

    found = standings(strict, rows, DAY, DAY)

    assert refusals(strict, found) == (
        "the drill 'rollback' failed last: recovered after 9.0 s against 5 s",
    )
    assert warnings(strict, found) == ()
    assert refusals(ONLY_ROLLBACK, found) == ()
    assert warnings(ONLY_ROLLBACK, found) == refusals(strict, found)


def test_a_drill_under_way_changes_nothing_yet() -> None:
    rows = [drill("", 0), drill("passed", 2)]

    (found,) = standings(ONLY_ROLLBACK, rows, DAY, DAY)

    assert found.state == "good"
