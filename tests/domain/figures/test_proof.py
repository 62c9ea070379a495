"""Shares with their exact intervals, checked against tables, simulation and arithmetic."""

import random
from math import comb

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.figures.proof import Share, at_most, proven, still_needed

COUNTS = st.tuples(st.integers(0, 400), st.integers(0, 400)).map(lambda two: (min(two), max(two)))


def rounded(share: Share) -> tuple[float, float]:
    low, high = share.interval
    return round(low, 4), round(high, 4)


def test_the_interval_is_clopper_and_pearsons() -> None:
    assert rounded(Share(5, 10)) == (0.1871, 0.8129)
    assert rounded(Share(0, 10)) == (0.0, 0.3085)
    assert rounded(Share(10, 10)) == (0.6915, 1.0)
    assert rounded(Share(15, 20)) == (0.509, 0.9134)


def test_a_thousand_clean_releases_prove_997_and_2995_prove_999() -> None:
    assert round(proven(1000, 1000), 3) == 0.997
    assert proven(2994, 2994) < 0.999 <= proven(2995, 2995)
    assert still_needed(1000, 1000, 0.999) == 1995
    assert still_needed(0, 0, 0.999) == 2995


def test_one_failure_makes_the_proof_longer() -> None:
    needed = still_needed(999, 1000, 0.999)

    assert proven(999 + needed, 1000 + needed) >= 0.999
    assert proven(999 + needed - 1, 1000 + needed - 1) < 0.999
    assert 1000 + needed > 2995


def test_of_nothing_nothing_is_known() -> None:
    assert Share(0, 0).ratio is None
    assert Share(0, 0).interval == (0.0, 1.0)
    assert proven(0, 0) == 0.0


def test_the_interval_holds_the_truth_in_at_least_95_of_100_periods() -> None:
    chance, intervals = random.Random(7), [Share(count, 40).interval for count in range(41)]
    for truth in (0.03, 0.5, 0.97):
        held, periods = 0, 1500
        for _ in range(periods):
            low, high = intervals[sum(chance.random() < truth for _ in range(40))]
            held += low <= truth <= high

        assert held / periods >= 0.945


@settings(max_examples=40)
@given(st.integers(0, 60), st.integers(1, 60), st.floats(0.001, 0.999))
def test_the_tail_is_the_sum_of_its_terms(count: int, of: int, share: float) -> None:
    terms = (comb(of, one) * share**one * (1 - share) ** (of - one) for one in range(count + 1))

    assert abs(at_most(count, of, share) - sum(terms)) < 1e-9


@settings(max_examples=40)
@given(COUNTS)
def test_the_interval_holds_what_was_seen(counts: tuple[int, int]) -> None:
    count, of = counts
    low, high = Share(count, of).interval

    assert 0 <= low <= high <= 1
    assert low - 1e-9 <= (count / of if of else 0.5) <= high + 1e-9
    assert proven(count, of) >= low


@settings(max_examples=40)
@given(COUNTS)
def test_successes_and_failures_are_one_another_turned_round(counts: tuple[int, int]) -> None:
    count, of = counts
    (low, high), (other_low, other_high) = Share(count, of).interval, Share(of - count, of).interval

    assert abs(low - (1 - other_high)) < 1e-9
    assert abs(high - (1 - other_low)) < 1e-9


@settings(max_examples=40)
@given(COUNTS, st.floats(0.5, 0.9999))
def test_so_many_more_prove_it_and_one_fewer_does_not(
    counts: tuple[int, int], agreed: float
) -> None:
    count, of = counts

    needed = still_needed(count, of, agreed)

    assert at_most(of - count, of + needed, 1 - agreed) <= 0.05 + 1e-12
    assert needed == 0 or at_most(of - count, of + needed - 1, 1 - agreed) > 0.05
