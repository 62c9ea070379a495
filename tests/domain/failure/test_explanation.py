"""What a person is told of a failure: cause, what holds now, and what to do first."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.failure.explanation import explained
from domain.failure.facts import Broken, Place, Trouble
from domain.failure.page import page

BEFORE = {"storefront": "2026.11.27.1"}
BACK = Place(
    "production", "rolled back", BEFORE, BEFORE, ("traffic of storefront", "withdraw storefront")
)
TRACEBACK = (
    "Traceback (most recent call last):\n  File \"<frozen os>\", line 679\nKeyError: 'MARKETS'"
)


def trouble(step: str, said: str, output: str = "", **more: Any) -> Trouble:
    where = more.pop("where", "production")
    broken = Broken(where, step, said, (output,))
    facts: Mapping[str, Any] = {"place": BACK, "replayed_in": "staging", **more}
    return Trouble("2026.11.28.1", "restored", f"restored: {said}", "main", broken, **facts)


@pytest.mark.parametrize(
    ("found", "cause"),
    [
        (trouble("start storefront", f"BadRelease: storefront is FATAL: {TRACEBACK}"),
         "environment variables"),
        (trouble("start storefront", "BadRelease: storefront: /products answered 500"),
         "not healthy"),
        (trouble("watch storefront 50", "failed 9.0 % against 0.5 %"), "a bad canary"),
        (trouble("watch storefront 50", "Unavailable: production-1 does not answer"), "network"),
        (trouble("check stock and orders", "ebay-us: ORD-01 fail: 3 missing"), "stock or orders"),
        (trouble("migrate", "Failed: column price does not exist"), "the schema change"),
        (trouble("migrate", "Failed: permission denied for table orders"), "permissions"),
        (trouble("prove the backup and rehearse on it", "holds orders for 9 s, allowed are 2 s"),
         "the schema change"),
        (trouble("", "", decision="rejected by Bo: not today"), "a person said no"),
        (trouble("", "production is held by Ann: incident", place=None), "a freeze or a stop"),
        (trouble("", "Black Friday on ebay-us: a release may not go on; wait until Monday",
                 place=None), "a freeze or a stop"),
        (trouble("", "2026.11.27.1 would overtake 2026.11.28.1", place=None),
         "the rules of releases"),
        (trouble("", "its run was cancelled"), "its run was cancelled"),
        (trouble("test storefront", "1 of 9 tests failed", "E   assert 2 == 3", where="release"),
         "script errors"),
        (trouble("conclude", "something nobody thought of"), "not recognised"),
    ],
)  # fmt: skip
def test_each_end_has_its_cause(found: Trouble, cause: str) -> None:
    assert explained(found).cause == cause


def test_a_missing_variable_is_named_with_where_it_is_declared_and_tried_again() -> None:
    found = explained(trouble("start storefront", f"BadRelease: it is FATAL: {TRACEBACK}"))

    assert found.sentence == (
        "Storefront needs the environment variable MARKETS, which is not there in its start"
        " stage in production."
    )
    assert "Declare MARKETS in shop.yaml, under services.storefront" in found.todo[0].what
    assert found.todo[1].command == "tradewind replay 2026.11.28.1 --from start --by YOU"
    assert found.todo[2].command == "tradewind release --ref main --by YOU"


def test_what_was_restored_is_said_as_far_as_it_is_known() -> None:
    found = explained(trouble("watch storefront 50", "failed 9.0 % against 0.5 %"))

    assert found.restored == (
        "What served before serves again in full. In production: storefront 2026.11.27.1.",
        "Taken back: traffic of storefront, withdraw storefront.",
        "Whether orders were lost was not checked: it stopped before its checks.",
    )


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        (replace(BACK, orders="kept"), "The checks found no order lost."),
        (replace(BACK, orders="differ"), "The checks found orders that differ"),
        (replace(BACK, before={}), "there is nothing to go back to"),
        (replace(BACK, now={"storefront": "2026.11.28.9"}), "is not what served before it"),
        (replace(BACK, state="halted"), "A person is needed"),
        (replace(BACK, lost=("traffic of storefront",)), "Not taken back: traffic of storefront."),
        (replace(BACK, state="refused"), "Nothing that serves was changed."),
    ],
)
def test_nothing_is_claimed_that_is_not_known(place: Place, sentence: str) -> None:
    found = explained(trouble("watch storefront 50", "worse", place=place))

    assert any(sentence in line for line in found.restored)


def test_a_person_who_is_needed_is_told_so_before_everything_else() -> None:
    halted = replace(trouble("watch storefront 50", "worse"), state="halted")

    assert explained(halted).todo[0].command == "tradewind drift production"


def test_code_in_quarantine_is_not_released_again_unchanged() -> None:
    found = explained(trouble("start storefront", "BadRelease: dead", quarantined=True))

    assert any("quarantine" in line for line in found.restored)
    assert "from a commit that differs" in found.todo[-1].what


def test_without_an_environment_before_customers_nothing_is_replayed() -> None:
    found = explained(trouble("start storefront", "BadRelease: dead", replayed_in=""))

    assert not any("replay" in one.command for one in found.todo)


def test_what_a_program_printed_is_no_markup() -> None:
    found = explained(trouble("start storefront", "BadRelease: ```\n# Approved\n<b>x</b>"))

    shown = page(found)

    assert "````text\n" in shown
    assert "\n````\n" in shown


@pytest.mark.parametrize(
    ("step", "stage", "service"),
    [
        ("test storefront", "test", "storefront"),
        ("build order-sync", "build", "order-sync"),
        ("baseline of storefront", "canary", "storefront"),
        ("baseline of the channels", "check", ""),
        ("route storefront 50", "canary", "storefront"),
        ("hand over order-sync", "hand over", "order-sync"),
        ("back up", "prepare", ""),
        ("retire older", "conclude", ""),
    ],
)
def test_a_step_belongs_to_a_stage_and_a_service(step: str, stage: str, service: str) -> None:
    broken = Broken("production", step, "")

    assert (broken.stage, broken.service) == (stage, service)


@given(
    st.text(max_size=60), st.text(max_size=300), st.text(max_size=300),
    st.sampled_from(["refused", "restored", "halted"]),
    st.sampled_from([None, BACK, replace(BACK, state="halted"), replace(BACK, before={})]),
)  # fmt: skip
def test_whatever_failed_there_is_a_page_with_things_to_do(
    step: str, said: str, output: str, state: str, place: Place | None
) -> None:
    facts = replace(trouble(step, said, output, place=place), state=state)

    found = explained(facts)

    assert found.sentence.endswith(".")
    assert len(found.todo) == 3
    assert page(found)
