"""Samples: what is asked within a quota, and how much an answer says about all the rest."""

from math import comb

from hypothesis import given
from hypothesis import strategies as st

from domain.channel import Quota, Rate
from domain.checks.sampling import affordable, at_most, chosen

SKUS = tuple(f"SKU-{number:04d}" for number in range(1000))


def test_best_sellers_and_what_changed_are_asked_for_certain() -> None:
    sample = chosen(SKUS, {"SKU-0900", "SKU-0500"}, most=100, top=10, seed=1)

    assert sample.skus[:12] == (*SKUS[:10], "SKU-0500", "SKU-0900")
    assert (sample.drawn, sample.rest) == (88, 988)


def test_the_same_seed_draws_the_same_and_another_seed_others() -> None:
    first, second, other = (chosen(SKUS, (), 50, 5, seed) for seed in (1, 1, 2))

    assert first == second
    assert first.skus[:5] == other.skus[:5]
    assert first.skus != other.skus


def test_when_too_much_changed_it_is_drawn_with_the_others() -> None:
    sample = chosen(SKUS, SKUS[:800], most=100, top=10, seed=1)

    assert len(sample.skus) == 100
    assert (sample.drawn, sample.rest) == (90, 990)


def test_a_room_for_all_leaves_nothing_unseen() -> None:
    sample = chosen(SKUS, (), most=5000, top=10, seed=1)

    assert sorted(sample.skus) == sorted(SKUS)
    assert at_most(0, sample.drawn, sample.rest, 95) == 0


def test_a_used_up_quota_affords_nothing() -> None:
    assert affordable(Quota(100, 30, 60), Rate(10, 10), 60, 50) == 0
    assert affordable(Quota(100, 10, 60), Rate(10, 10), 60, 50) == 0


@given(st.integers(1, 60), st.data())
def test_the_bound_is_the_exact_one(population: int, data: st.DataObject) -> None:
    drawn = data.draw(st.integers(1, population))
    violations = data.draw(st.integers(0, drawn))

    def so_few(bad: int) -> float:
        ways = (comb(bad, k) * comb(population - bad, drawn - k) for k in range(violations + 1))
        return sum(ways) / comb(population, drawn)

    possible = range(violations, population - drawn + violations + 1)
    exact = max(bad for bad in possible if bad == violations or so_few(bad) > 0.05)

    assert at_most(violations, drawn, population, 95) == exact


@given(st.integers(0, 999), st.integers(1, 500), st.sets(st.sampled_from(SKUS)))
def test_no_sku_is_asked_for_twice_and_never_more_than_may_be(
    top: int, most: int, changed: set[str]
) -> None:
    sample = chosen(SKUS, changed, most, top, 3)

    assert len(set(sample.skus)) == len(sample.skus) <= most
    assert sample.drawn <= sample.rest
