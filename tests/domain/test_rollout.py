"""Strategies as waves, and how many hosts may be missing."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.rollout import at_once, below_quorum, portion, waves
from domain.shop import Rollout

HOSTS = ("a", "b", "c", "d", "e")
STRATEGIES = st.sampled_from(["canary", "canary-by-host", "rolling", "blue-green"])
PORTIONS = st.one_of(
    st.integers(0, 400).map(str), st.integers(0, 100).map(lambda percent: f"{percent}%")
)


def test_a_canary_moves_a_weight_on_every_host() -> None:
    found = waves(Rollout("canary"), (10, 100), HOSTS)

    assert [wave.name for wave in found] == ["10", "100"]
    assert found[0].weights == dict.fromkeys(HOSTS, 10)


def test_a_canary_by_host_moves_whole_hosts() -> None:
    found = waves(Rollout("canary-by-host"), (1, 10, 50, 100), HOSTS)

    assert [wave.name for wave in found] == ["1 of 5 hosts", "3 of 5 hosts", "5 of 5 hosts"]
    assert found[0].weights == {"a": 100, "b": 0, "c": 0, "d": 0, "e": 0}
    assert found[0].share == 20


def test_blue_green_moves_everything_at_once() -> None:
    assert waves(Rollout("blue-green"), (10, 100), HOSTS) == at_once(HOSTS)


@given(
    strategy=STRATEGIES,
    batch=PORTIONS,
    weights=st.sets(st.integers(1, 99), max_size=5),
    count=st.integers(1, 300),
)
def test_every_strategy_only_rises_and_ends_with_everything(
    strategy: str, batch: str, weights: set[int], count: int
) -> None:
    hosts = [f"host-{number}" for number in range(count)]

    found = waves(Rollout(strategy, batch), (*sorted(weights), 100), hosts)  # type: ignore[arg-type]

    assert all(value == 100 for value in found[-1].weights.values())
    assert len({wave.name for wave in found}) == len(found)
    for earlier, later in pairwise(found):
        assert all(earlier.weights[host] <= later.weights[host] for host in hosts)
        assert earlier.weights != later.weights


@given(missing=st.sets(st.sampled_from(HOSTS)), budget=PORTIONS)
def test_a_fleet_never_goes_on_with_nobody_left(missing: set[str], budget: str) -> None:
    refused = below_quorum(dict.fromkeys(missing, "away"), Rollout(max_unavailable=budget), HOSTS)

    assert bool(refused) == (len(missing) > min(portion(budget, 5), 4))


@pytest.mark.parametrize("text", ["", "x", "-1", "101%", "1.5", "%"])
def test_what_is_no_portion_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        portion(text, 10)
