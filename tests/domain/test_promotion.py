"""What a promotion asks for, and every objection to it."""

import pytest

from domain.errors import Refused
from domain.promotion import Promotion, chosen, objections

ROUTE = ("staging", "preview", "production")
PASSED = ("2026.11.24.2", "2026.11.24.1")


def asked(**other: object) -> Promotion:
    fields = {
        "version": "2026.11.24.2", "source": "staging", "target": "preview", "route": ROUTE,
        "passed": PASSED, "under_way": False, "requested_by": "Ann",
    }  # fmt: skip
    return Promotion(**{**fields, **other})  # type: ignore[arg-type]


def test_what_passed_may_go_to_the_next_environment() -> None:
    assert objections(asked()) == ()


def test_none_of_the_route_is_left_out_and_nothing_goes_back() -> None:
    way = "the route is staging → preview → production"

    assert objections(asked(target="production")) == (
        f"production does not come next after staging: {way}",
    )
    assert objections(asked(source="preview", target="staging")) == (
        f"staging does not come next after preview: {way}",
    )
    assert objections(asked(target="staging")) == (
        f"staging does not come next after staging: {way}",
    )


def test_an_unknown_environment_is_named_with_those_that_are_known() -> None:
    assert objections(asked(target="moon")) == (
        "environment is 'moon', known are staging, preview, production",
    )


def test_every_objection_is_told_at_once() -> None:
    found = objections(asked(version="2026.11.24.9", under_way=True, requested_by=" "))

    assert found == (
        "2026.11.24.9 has not passed in staging, it did: 2026.11.24.2, 2026.11.24.1",
        "2026.11.24.9 is under way: it goes along its own route",
        "requested_by is empty: a promotion has a name on it",
    )


def test_with_no_version_it_is_the_one_that_passed_last() -> None:
    assert chosen("", "staging", PASSED) == "2026.11.24.2"
    assert chosen("2026.11.24.1", "staging", PASSED) == "2026.11.24.1"
    with pytest.raises(Refused, match="nothing has passed in staging yet"):
        chosen("", "staging", ())
