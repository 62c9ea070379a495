"""What of Prefect's API passes, held against Prefect's own document of it."""

import re
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from domain.access.prefect_api import RULES, Rule, rule
from tests.domain.access.matrix import (
    CHANGES,
    UUID,
    calls,
    concrete,
    may_never_pass,
    passing,
    table,
    wrong,
)

KEPT = Path(__file__).parent / "matrix.txt"
ODD = ("..", ".", "%2e%2e", "%2F", " ", "\n", ";", "?", "#", "\\", "é", "％")


def templates(method: str, path: str) -> set[str]:
    """Every call of Prefect's that a path could be read as."""
    return {
        f"{method} {template}"
        for known, template in calls()
        if known == method and re.fullmatch(re.sub(r"{\w+}", "[^/]+", "/api" + template), path)
    }


def test_every_call_is_classified_and_what_each_role_passes_is_as_it_was_agreed() -> None:
    assert table() == KEPT.read_text()


def test_nothing_passes_where_nobody_may_pass() -> None:
    never = [call for call in calls() if may_never_pass(*call)]

    found = list(wrong())

    passes = sum(len(passing(*call)) for call in calls())
    print(f"{len(calls())} calls, {len(never)} where none may pass: {len(found)} passes; of the"
          f" other {len(calls()) - len(never)} calls × 4 roles {passes} pass")  # fmt: skip
    assert found == []
    assert len(never) > 80


@pytest.mark.parametrize(
    "weak",
    [
        lambda method, path: Rule("read", "view"),
        lambda method, path: Rule("read", "manage") if method == "PATCH" else rule(method, path),
        lambda method, path: rule("GET", path) or rule(method, path),
    ],
)
def test_a_weaker_table_is_found_out(weak: object) -> None:
    assert callable(weak)

    assert len(list(wrong(weak))) > 10
    assert table(weak) != KEPT.read_text()


def test_only_three_calls_change_anything() -> None:
    assert {call for call, found in RULES.items() if found.kind != "read"} == set(CHANGES)


def test_no_name_in_a_path_turns_a_look_into_something_else() -> None:
    words = sorted({part for _, path in calls() for part in path.split("/") if part[:1] != "{"})

    found = [
        (method, path, template)
        for method, call in calls()
        for word in (*words, UUID)
        for path in ("/api" + re.sub(r"{\w+}", word, call),)
        if rule(method, path)
        for template in templates(method, path)
        if may_never_pass(*template.split(" "))
    ]

    assert found == []


def test_a_call_that_prefect_does_not_have_is_refused() -> None:
    calls_of_prefect = {f"{method} {concrete(path)}" for method, path in calls()}

    for method, path in (("POST", "/api/admin/database/clear"), ("GET", "/api"), ("GET", "/"),
                         ("GET", "/api/"), ("TRACE", "/api/health"), ("get", "/api/health"),
                         ("HEAD", "/api/health"), ("OPTIONS", "/api/flows/filter")):  # fmt: skip
        assert f"{method} {path}" not in calls_of_prefect
        assert rule(method, path) is None


@settings(max_examples=500)
@given(
    st.sampled_from(calls()),
    st.sampled_from(ODD),
    st.integers(0, 200),
    st.sampled_from(["segment", "name", "inside", "double", "capital", "slash"]),
)
def test_a_path_that_is_not_written_in_the_usual_way_is_refused(
    call: tuple[str, str], odd: str, place: int, how: str
) -> None:
    method, path = call
    usual = concrete(path)
    place = place % len(usual)
    written = {
        "segment": f"{usual[:place]}/{odd}/{usual[place:]}",
        "name": usual.replace("a-name.1", odd),
        "inside": f"{usual[:place]}{odd.replace('.', '!')}{usual[place:]}",
        "double": usual.replace("/", "//", 1 + place % usual.count("/")),
        "capital": f"/api{usual[4:].replace('/', '/X', 1)}",
        "slash": usual.removesuffix("/") if usual.endswith("/") else usual + "/",
    }[how]
    assume(written != usual)

    assert rule(method, written) is None


@given(st.text(max_size=80), st.text(max_size=10))
def test_whatever_is_asked_has_an_answer(path: str, method: str) -> None:
    assert rule(method, path) is None
    assert rule("DELETE", f"/api/{path}") is None


def test_a_releaser_starts_and_cancels_and_an_approver_answers() -> None:
    passed = {role: [call for call, one in RULES.items() if one.kind != "read"
                     and role in passing(*call.split(" "))]
              for role in ("viewer", "releaser", "approver", "admin")}  # fmt: skip

    starts, answers, state = CHANGES
    assert passed == {
        "viewer": [], "releaser": [starts, state], "approver": [answers],
        "admin": [starts, answers, state],
    }  # fmt: skip
