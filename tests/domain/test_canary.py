"""The verdict: sick canaries go back, healthy ones go on, the unknown waits."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.canary import WORSE, Policy, e_value, judge
from domain.host import Served

POLICY = Policy(alpha=0.01, max_error_rate=0.01, guard_failures=5, guard_requests=50)


def served(requests: int, errors: int = 0, slow: int = 0) -> Served:
    return Served(requests, errors, errors, slow)


def test_a_clean_canary_is_promoted_after_about_460_requests() -> None:
    assert judge(served(440), served(4000), POLICY).decision == "inconclusive"
    assert judge(served(520), served(4000), POLICY).decision == "promote"


def test_what_is_missing_is_said_in_requests() -> None:
    (reason, *_) = judge(served(100), served(900), POLICY).reasons

    assert "about 394 more clean requests" in reason


def test_five_percent_errors_go_back() -> None:
    verdict = judge(served(120, 6), served(1000, 0), POLICY)

    assert verdict.decision == "restore"
    assert "first errors 5.00 % of 120" in verdict.reasons[0].replace("%", " %")


def test_many_failures_at_once_go_back_without_statistics() -> None:
    assert judge(served(6, 5), served(2), POLICY).decision == "restore"


def test_an_outage_of_both_arms_is_not_the_canarys_fault() -> None:
    assert judge(served(40, 30), served(400, 310), POLICY).decision == "inconclusive"


def test_slow_requests_go_back() -> None:
    assert judge(served(400, slow=120), served(3600, slow=180), POLICY).decision == "restore"


@pytest.mark.parametrize("baseline", [served(0), served(1000)])
def test_no_traffic_is_never_promoted(baseline: Served) -> None:
    assert judge(served(0), baseline, POLICY).decision == "inconclusive"


@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 50))
def test_more_errors_are_never_less_evidence(requests: int, others: int, errors: int) -> None:
    less = e_value((errors, requests + errors + 1), (2, others), WORSE)
    more = e_value((errors + 1, requests + errors + 1), (2, others), WORSE)

    assert more >= less


def test_equal_versions_are_seldom_accused_however_often_one_looks() -> None:
    accused = sum(_accused(random.Random(seed)) for seed in range(300))

    assert accused <= 9  # α = 1 % for both metrics together, of 300


def _accused(chance: random.Random) -> bool:
    ours = theirs = requests = others = 0
    for _ in range(2000):
        candidate, failed = chance.random() < 0.1, chance.random() < 0.02
        requests, others = requests + candidate, others + (not candidate)
        ours, theirs = ours + (candidate and failed), theirs + (failed and not candidate)
        if e_value((ours, requests), (theirs, others), WORSE) >= 200:
            return True
    return False
