"""What may be replayed: a known stage and service, with a name, where nothing is under way."""

from dataclasses import replace

import pytest

from domain.failure.replay import Asked, compared, objections

GOOD = Asked(
    "start", ("staging", "production"), "Ann", ("storefront",), ("storefront",), "", "", True
)


def test_a_stage_of_a_built_version_may_be_replayed() -> None:
    assert objections(GOOD) == ()


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (replace(GOOD, by=" "), "requested_by is empty"),
        (replace(GOOD, route=("production",)), "where customers are"),
        (replace(GOOD, stage="migrate"), "rehearsed by a release"),
        (replace(GOOD, stage="check"), "tradewind divergences"),
        (replace(GOOD, services=("shop",)), "service is shop, known are storefront"),
        (replace(GOOD, built=False), "never built"),
        (replace(GOOD, moving="2026.11.28.1"), "staging has 2026.11.28.1 under way"),
        (replace(GOOD, held="held by Ann: incident"), "staging is held by Ann: incident"),
    ],
)
def test_what_speaks_against_a_replay_is_said(asked: Asked, sentence: str) -> None:
    (found,) = objections(asked)

    assert sentence in found


def test_tests_and_builds_need_no_artifact() -> None:
    assert objections(replace(GOOD, stage="test", built=False)) == ()


def test_every_objection_is_listed_at_once() -> None:
    assert len(objections(replace(GOOD, by="", stage="check", moving="2026.11.28.1"))) == 3


def test_a_build_that_is_another_one_does_not_pass() -> None:
    assert compared("storefront", "sha256:ab", "sha256:ab").passed
    assert not compared("storefront", "sha256:ab", "sha256:cd").passed
