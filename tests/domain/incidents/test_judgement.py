"""The verdict on errors: new kinds go back, many more go back, and silence proves nothing."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from domain.canary import Verdict
from domain.host import Served
from domain.incidents.judgement import Limits, Seen, joined, judge
from domain.incidents.release import Issue

LIMITS = Limits(new_issues=0, error_events=None, alpha=0.01)
ISSUE = Issue("SHOP-7", "ValueError: no such coupon", "https://errors/7", 12)
NOBODY = (Served(0, 0, 0, 0), Served(0, 0, 0, 0))
verdicts = st.sampled_from([Verdict(one, (one,)) for one in ("promote", "restore", "inconclusive")])
counts = st.integers(0, 10_000)


def served(candidate: int, baseline: int) -> tuple[Served, Served]:
    return Served(candidate, 0, 0, 0), Served(baseline, 0, 0, 0)


def test_a_new_kind_of_error_goes_back_and_is_named_with_its_link() -> None:
    verdict = judge(Seen((ISSUE,), 12, 0), NOBODY, LIMITS)

    assert verdict.decision == "restore"
    assert verdict.reasons == (
        "1 new issues against 0: ValueError: no such coupon (12 events, https://errors/7)",
    )


def test_of_many_new_kinds_three_are_named() -> None:
    verdict = judge(Seen((ISSUE,) * 5, 60, 0), NOBODY, LIMITS)

    assert verdict.reasons[0].startswith("5 new issues against 0")
    assert verdict.reasons[0].endswith("and 2 more")


def test_as_many_new_kinds_as_are_allowed_go_on() -> None:
    seen = Seen((ISSUE,), 1, 0, proven=True)

    assert judge(seen, NOBODY, replace(LIMITS, new_issues=1)).decision == "promote"


def test_known_errors_that_became_much_more_frequent_go_back() -> None:
    verdict = judge(Seen((), 40, 4, proven=True), served(500, 500), LIMITS)

    assert verdict.decision == "restore"
    assert "error events 40, of the version before 4, e-value" in verdict.reasons[0]


def test_known_errors_as_frequent_as_before_go_on() -> None:
    assert judge(Seen((), 5, 5, proven=True), served(500, 500), LIMITS).decision == "promote"


def test_more_error_events_than_the_limit_go_back() -> None:
    verdict = judge(Seen((), 11, 0, proven=True), NOBODY, replace(LIMITS, error_events=10))

    assert verdict.reasons == ("error events 11 against 10",)


def test_no_events_are_no_errors_only_when_one_of_ours_arrived() -> None:
    assert judge(Seen(proven=True), NOBODY, LIMITS).decision == "promote"
    assert judge(Seen(proven=False), NOBODY, LIMITS).decision == "inconclusive"


def test_a_tracker_that_is_away_leaves_errors_unknown() -> None:
    verdict = judge(Seen(problem="it does not answer"), NOBODY, LIMITS)

    assert verdict == Verdict("inconclusive", ("errors unknown: it does not answer",))


@given(counts, counts, counts, counts)
def test_what_has_not_been_proven_is_never_promoted(
    ours: int, theirs: int, requests: int, others: int
) -> None:
    verdict = judge(Seen((), ours, theirs), served(requests, others), LIMITS)

    assert verdict.decision != "promote"


@given(verdicts, verdicts, st.booleans())
def test_errors_never_make_a_canary_better(
    canary: Verdict, errors: Verdict, required: bool
) -> None:
    verdict = joined(canary, errors, required)

    assert (verdict.decision == "restore") == ("restore" in (canary.decision, errors.decision))
    if verdict.decision == "promote":
        assert canary.decision == "promote"
        assert errors.decision == "promote" or not required


def test_unknown_errors_hold_a_release_only_where_they_are_required() -> None:
    canary, unknown = Verdict("promote", ("clean",)), Verdict("inconclusive", ("unknown",))

    assert joined(canary, unknown, required=True).decision == "inconclusive"
    assert joined(canary, unknown, required=False) == Verdict("promote", ("clean", "unknown"))
