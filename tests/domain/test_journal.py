"""A deployment's states, and whose answer to a gate counts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Refused
from domain.journal import (
    BACKWARD,
    FINAL,
    FORWARD,
    UNTOUCHED,
    Approval,
    Decision,
    may_decide,
    transition,
)

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
WAITING = Approval(1, 7, "sha256:plan", "Ann", "waiting", "", "", NOW + timedelta(hours=1), None)
STATES = sorted({*FORWARD, *BACKWARD, *FINAL})


@given(st.sampled_from(FINAL), st.sampled_from(STATES))
def test_what_is_final_stays(before: str, after: str) -> None:
    if before != after:
        with pytest.raises(Refused):
            transition(before, after)


@given(st.sampled_from(BACKWARD), st.sampled_from(FORWARD))
def test_what_was_taken_back_is_never_carried_forward(before: str, after: str) -> None:
    with pytest.raises(Refused):
        transition(before, after)


@given(st.sampled_from(STATES))
def test_only_what_is_untouched_can_be_refused(before: str) -> None:
    if before in UNTOUCHED:
        transition(before, "refused")
    elif before != "refused":
        with pytest.raises(Refused):
            transition(before, "refused")


def test_the_answer_of_somebody_else_in_time_for_this_plan_counts() -> None:
    assert may_decide(WAITING, "sha256:plan", Decision("approved", "Bo"), NOW) == ""


@pytest.mark.parametrize(
    ("approval", "plan", "by", "said"),
    [
        (WAITING, "sha256:plan", " ann ", "somebody else has to approve it"),
        (WAITING, "sha256:other", "Bo", "the plan is sha256:plan now"),
        (WAITING, "sha256:plan", " ", "decided_by is empty"),
        (replace(WAITING, expires_at=NOW), "sha256:plan", "Bo", "expired at 2026-11-24 12:00:00"),
        (replace(WAITING, decision="approved", decided_by="Cy"), "sha256:plan", "Bo", "by Cy"),
    ],
)
def test_every_other_answer_is_refused_with_its_reason(
    approval: Approval, plan: str, by: str, said: str
) -> None:
    assert said in may_decide(approval, plan, Decision("approved", by), NOW)


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Decision("rejected", "Bo", " "), "reason is empty"),
        (Decision("approved", "Bo", "", NOW), "a beginning and an end"),
        (Decision("approved", "Bo", "", NOW + HOUR, NOW), "has to end after it begins"),
        (Decision("approved", "Bo", "", NOW - 2 * HOUR, NOW - HOUR), "the window ended at"),
    ],
)
def test_an_answer_that_cannot_be_followed_is_refused(answer: Decision, said: str) -> None:
    assert said in may_decide(WAITING, "sha256:plan", answer, NOW)


def test_an_approval_for_a_window_holds_inside_it_only() -> None:
    inside = replace(WAITING, decision="approved", begins_at=NOW, ends_at=NOW + HOUR)

    early, now, late = (NOW - HOUR / 60, NOW, NOW + HOUR)

    assert [inside.too_early(at) for at in (early, now, late)] == [True, False, False]
    assert [inside.too_late(at) for at in (early, now, late)] == [False, False, True]
    assert (WAITING.too_early(now), WAITING.too_late(late)) == (False, False)
