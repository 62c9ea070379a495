"""API tests: where they may run, what a result means, and the page that nobody can break."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.apitests.page import page
from domain.apitests.results import (
    KEPT_FAILURES,
    MOST_ANSWER,
    MOST_WORDS,
    Failure,
    Result,
    blamed,
    kept,
    reasons,
)
from domain.apitests.settings import ApiTests, Collection, OpenApi, objections

BUY, LOOK = Collection("buy.json"), Collection("look.json", read_only=True)
GOOD = Result("newman", "checkout", requests=4, total=7, seconds=1.5)
texts = st.text(max_size=1000)
failures = st.builds(Failure, texts, texts, texts)


@pytest.mark.parametrize("last", [False, True])
@given(
    postman=st.lists(st.builds(Collection, st.text(min_size=1), read_only=st.booleans())),
    anyway=st.booleans(),
)
def test_customers_meet_only_what_reads_and_only_where_that_is_wanted(
    last: bool, postman: list[Collection], anyway: bool
) -> None:
    declared = ApiTests(tuple(postman), OpenApi("/openapi.json"), anyway)

    allowed = declared.allowed(last)

    if not last:
        assert allowed == declared
    elif anyway:
        assert allowed.postman == tuple(one for one in postman if one.read_only)
    else:
        assert allowed.empty


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        (ApiTests(), "api names neither postman nor openapi: at least one is needed"),
        (ApiTests((BUY,), also_in_production=True), "no collection is read_only"),
        (ApiTests((Collection("../buy.json"),)), "'../buy.json': it must lie inside"),
        (ApiTests((replace(BUY, environment="/etc/x"),)), "'/etc/x': it must lie inside"),
        (ApiTests((Collection(""),)), "api.postman.0.path is empty"),
        (ApiTests(openapi=OpenApi("")), "api.openapi.at is empty"),
        (ApiTests(openapi=OpenApi("a.json", checks=())), "api.openapi.checks is empty"),
        (ApiTests(openapi=OpenApi("a.json", exclude=("buy",))), "api.openapi.exclude has 'buy'"),
    ],
)
def test_what_cannot_be_run_is_named(declared: ApiTests, said: str) -> None:
    assert any(said in what for _, what in objections(declared)), list(objections(declared))


def test_what_can_be_run_is_not_objected_to() -> None:
    declared = ApiTests((BUY, LOOK), OpenApi("/openapi.json", exclude=("/x",)), True)

    assert not list(objections(declared))


@pytest.mark.parametrize(
    ("result", "reason", "at_fault"),
    [
        (GOOD, "", False),
        (Result("newman", "empty"), "newman empty: no tests run", False),
        (Result("newman", "slow", problem="did not end within 2 s"), "newman slow: did not", False),
        (
            replace(GOOD, failed=3, failures=(Failure("Buy (POST /buy)", "answers 201"),)),
            "newman checkout: 4 requests, 3 of 7 checks failed; Buy (POST /buy): answers 201",
            True,
        ),
    ],
)
def test_only_a_failed_check_blames_the_release(
    result: Result, reason: str, at_fault: bool
) -> None:
    told = reasons((GOOD, result))

    assert "; ".join(told).startswith(reason)
    assert bool(told) is not result.passed
    assert blamed((GOOD, result)) is at_fault


@given(st.lists(failures, max_size=30))
def test_what_is_kept_is_bounded_and_comes_first(found: list[Failure]) -> None:
    few = kept(found)

    assert len(few) == min(len(found), KEPT_FAILURES)
    for one in few:
        assert len(one.request) <= MOST_WORDS
        assert len(one.expectation) <= MOST_WORDS
        assert len(one.answer) <= MOST_ANSWER


@given(failures, texts)
def test_nothing_that_a_service_answers_becomes_markup(failure: Failure, name: str) -> None:
    bad = Result("newman", name, 1, 1, 2, failures=kept([failure]), problem="")

    lines = page("storefront 1", (GOOD, bad)).splitlines()

    assert sum(line.startswith("#") for line in lines) == 2
    assert sum(line.startswith("|") for line in lines) == 4
    assert lines[-1] == "- … 1 of 2 are shown"
