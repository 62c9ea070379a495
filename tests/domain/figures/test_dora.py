"""DORA's five, worked by hand."""

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.figures.dora import Dora, dora
from domain.figures.facts import Moved
from domain.figures.proof import Share
from tests.domain.figures.rows import at, moved

HOUR = 3600.0


def of_web_and_api(number: int, **other: Any) -> Moved:
    version = f"2026.11.2.{number}"
    before = f"2026.11.2.{number - 1}"
    return moved(number, changes={"web": (before, version), "api": (before, version)}, **other)


def back(number: int, mistaken: int, to: int) -> Moved:
    """A person goes back from one version to another."""
    versions = f"2026.11.2.{mistaken}", f"2026.11.2.{to}"
    return moved(number, kind="rollback", version=versions[1], changes={"web": versions})


def test_an_empty_ledger_has_no_figures_and_no_division_by_zero() -> None:
    found = dora((), 30)

    assert (found.deployments, found.per_week, found.lead.n, found.ill) == (0, 0, 0, 0)
    assert (found.failed.ratio, found.rework.ratio) == (None, None)


def test_three_good_releases_in_a_week() -> None:
    found = dora([moved(1), moved(2), moved(3)], 7)

    assert (found.deployments, found.per_week) == (3, 3.0)
    assert (found.lead.n, found.lead.median, found.lead.p95) == (3, HOUR, None)
    assert (found.failed, found.rework) == (Share(0, 3), Share(0, 3))


def test_a_canary_that_is_restored_failed_for_half_an_hour() -> None:
    found = dora([moved(1), moved(2, "rolled back")], 7)

    assert found.failed == Share(1, 2)
    assert (found.recovery.n, found.recovery.median) == (1, HOUR / 2)


def test_what_customers_never_met_did_not_fail_for_them() -> None:
    found = dora([moved(1), moved(2, "rolled back", exposed_at=None), moved(3, "refused")], 7)

    assert found.failed == Share(0, 1)


def test_a_person_going_back_says_that_the_release_failed() -> None:
    found = dora([moved(1), moved(2), back(5, mistaken=2, to=1)], 7)

    assert found.failed == Share(1, 3)
    assert found.recovery.median == 3.5 * HOUR
    assert found.rework == Share(1, 3)
    assert found.deployments == 2


def test_a_hotfix_says_that_what_it_takes_the_place_of_failed() -> None:
    found = dora([moved(1), moved(2), moved(3, hotfix=True)], 7)

    assert found.failed == Share(1, 3)
    assert found.recovery.median == 1.5 * HOUR
    assert found.rework == Share(1, 3)


def test_a_halted_one_is_well_again_with_the_next_that_serves() -> None:
    alone = dora([moved(1, "halted")], 7)
    mended = dora([moved(1, "halted"), moved(4)], 7)

    assert (alone.failed, alone.ill, alone.recovery.n) == (Share(1, 1), 1, 0)
    assert (mended.ill, mended.recovery.median) == (0, 3.5 * HOUR)


def test_a_service_fails_only_by_what_was_taken_back_of_it() -> None:
    rows = [of_web_and_api(1), of_web_and_api(2), back(3, mistaken=2, to=1)]

    web, api = dora(rows, 7, "web"), dora(rows, 7, "api")

    assert (web.failed, api.failed) == (Share(1, 3), Share(0, 2))
    assert (web.rework, api.rework) == (Share(1, 3), Share(0, 2))


def test_a_database_put_back_is_rework_because_of_the_last_release() -> None:
    found = dora([moved(1), moved(2), moved(3, kind="restore", changes={})], 7)

    assert (found.failed, found.rework) == (Share(1, 3), Share(1, 3))


def test_the_same_version_again_is_no_second_lead_time() -> None:
    found = dora([moved(1), moved(2, version="2026.11.2.1", committed_at=at(1))], 7)

    assert (found.lead.n, found.deployments) == (1, 2)


def test_one_that_is_under_way_counts_nowhere() -> None:
    found = dora([moved(1, "canary", finished_at=None)], 7)

    assert (found.deployments, found.failed.of, found.ill) == (0, 0, 0)


STATES = st.sampled_from(["done", "rolled back", "halted", "refused", "canary"])
KINDS = st.sampled_from(["release", "rollback", "restore"])


@st.composite
def ledgers(draw: st.DrawFn) -> list[Moved]:
    rows = []
    for number in range(1, draw(st.integers(0, 12)) + 1):
        state = draw(STATES)
        ended = {} if state != "canary" else {"finished_at": None}
        rows.append(moved(number, state, kind=draw(KINDS), hotfix=draw(st.booleans()), **ended))
    return rows


@settings(max_examples=40)
@given(ledgers(), st.integers(0, 1000))
def test_the_order_in_which_rows_are_read_changes_nothing(rows: list[Moved], seed: int) -> None:
    shuffled = random.Random(seed).sample(rows, len(rows))

    assert dora(shuffled, 30) == dora(rows, 30)


@settings(max_examples=40)
@given(ledgers())
def test_no_count_is_larger_than_what_it_is_of(rows: list[Moved]) -> None:
    found: Dora = dora(rows, 30)

    assert 0 <= found.failed.count <= found.failed.of
    assert 0 <= found.rework.count <= found.rework.of
    assert found.recovery.n + found.ill == found.failed.count
