"""Whose statements count, and what they come to together."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.approving.page import page
from domain.approving.quorum import Standing, counted, counts, decided, late
from domain.approving.settings import Approving, objections
from domain.approving.statement import Question, SignedStatement, Speaker, Statement, read
from domain.journal import Approval, Decision, Deployment
from domain.plan import Change, Serving

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
APPROVAL = Approval(3, 7, "sha256:plan", "Ann", "waiting", "", "", NOW + HOUR, None)
QUESTION = Question(APPROVAL, "2026.11.24.1", "production", "sha256:manifest", "sha256:sql")
ONE = Approving(signed=True)
TWO = Approving(signed=True, quorum=2)
PEOPLE = {"bo": ("dev",), "cy": ("ops",), "di": ("ops", "dev"), "ed": (), "ann": ("ops",)}


def said(person: str, decision: str = "approved", at: datetime = NOW, **changes: Any) -> Statement:
    """By somebody signed in with a fresh second factor; a rejection has a reason."""
    reason = "" if decision == "approved" else "not before the sale"
    speaker = Speaker(person, PEOPLE.get(person, ()), "password", at)
    answer = Decision("approved" if decision == "approved" else "rejected", person, reason)
    return replace(Statement(QUESTION.bound, speaker, answer, at, f"{person} {at}"), **changes)


def within(person: str, begins: datetime, ends: datetime) -> Statement:
    one = said(person)
    return replace(one, said=replace(one.said, begins_at=begins, ends_at=ends))


def standing(*statements: Statement, by: Approving = TWO, now: datetime = NOW) -> Standing:
    return decided(QUESTION, statements, by, now)


answers = st.builds(
    said,
    st.sampled_from(sorted(PEOPLE)),
    st.just("approved"),
    st.integers(0, 3000).map(lambda seconds: NOW + timedelta(seconds=seconds)),
)


@given(st.lists(answers, max_size=8), st.integers(1, 5))
def test_nobody_gets_through_with_fewer_people_than_asked(
    given_: list[Statement], quorum: int
) -> None:
    others = {one.person for one in given_} - {"ann"}

    found = standing(*given_, by=Approving(signed=True, quorum=quorum))

    assert (found.state == "approved") == (len(others) >= quorum)
    assert found.missing == max(0, quorum - len(others))
    assert set(found.by) == others


@given(st.lists(answers, max_size=6), st.randoms())
def test_the_order_in_which_answers_are_read_changes_nothing(
    given_: list[Statement], r: Any
) -> None:
    shuffled = list(given_)
    r.shuffle(shuffled)

    assert standing(*shuffled) == standing(*given_)


@given(st.lists(answers, max_size=6), st.sampled_from(["bo", "cy", "di", "ed"]))
def test_one_rejection_ends_it(given_: list[Statement], person: str) -> None:
    earlier = [one for one in given_ if one.person != person]

    found = standing(*earlier, said(person, "rejected"))

    assert (found.state, found.by) == ("rejected", (person,))


@given(st.lists(answers, max_size=6))
def test_what_expired_while_it_waited_stays_expired(given_: list[Statement]) -> None:
    assert standing(*given_, now=APPROVAL.expires_at).state == "expired"


@given(st.sampled_from(sorted(vars(QUESTION.bound))))
def test_a_statement_about_anything_else_does_not_count(field: str) -> None:
    value = getattr(QUESTION.bound, field)
    other: object = value + timedelta(seconds=1) if isinstance(value, datetime) else value * 2
    elsewhere = replace(said("bo"), bound=replace(QUESTION.bound, **{field: other}))

    why = counts(elsewhere, QUESTION, ONE)

    assert "answered for" in why or "the plan is" in why
    assert standing(elsewhere, by=ONE).state == "waiting"


@pytest.mark.parametrize("name", ["ann", "ANN", " Ann ", "\N{FULLWIDTH LATIN SMALL LETTER A}nn"])
def test_whoever_asked_never_counts_however_the_name_is_written(name: str) -> None:
    assert "somebody else has to approve it" in counts(said(name), QUESTION, ONE)


STALE = Speaker("bo", (), "oidc", NOW - timedelta(seconds=301))


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        (said("bo", at=APPROVAL.expires_at), "approval 3 expired at 2026-11-24 13:00:00 UTC"),
        (said("bo", speaker=Speaker("bo", (), "token", NOW)), "only a person who signed in"),
        (said("bo", speaker=Speaker("bo", (), "password")), "bo proved no second factor"),
        (said("bo", speaker=STALE), "bo's second factor was proved 301 s before, limit 300 s"),
        (
            said("bo", speaker=replace(STALE, factor_at=NOW + HOUR)),
            "second factor was proved 3600 s after the answer",
        ),
        (said("bo", said=Decision("approved", "cy")), "bo is signed in, cy is named"),
        (said("bo", said=Decision("rejected", "bo")), "reason is empty"),
        (within("bo", NOW - 2 * HOUR, NOW - HOUR), "the window ended at 2026-11-24 11:00"),
    ],
)
def test_every_statement_that_does_not_count_says_why(statement: Statement, why: str) -> None:
    production = Approving(signed=True, second_factor=True)

    assert why in counts(statement, QUESTION, production)


def test_saying_no_takes_no_second_factor() -> None:
    unproved = said("bo", "rejected", speaker=Speaker("bo", (), "password"))

    assert counts(unproved, QUESTION, Approving(signed=True, second_factor=True)) == ""


def test_each_group_has_somebody_among_the_approvers() -> None:
    both = Approving(signed=True, quorum=2, groups=("dev", "ops"))

    assert standing(said("bo"), by=both).sentence == (
        "waiting for 1 more, from ops; approved so far by bo"
    )
    assert standing(said("bo"), said("ed"), by=both).missing == 1
    assert standing(said("bo"), said("ed"), said("cy"), by=both).state == "approved"


def test_one_of_several_groups_is_enough_where_any_of_them_may() -> None:
    either = Approving(signed=True, any_of=("ops", "security"))

    assert standing(said("bo"), by=either).groups == ("ops or security",)
    assert standing(said("bo"), said("cy"), by=either).state == "approved"


def test_windows_of_several_people_come_to_what_they_have_in_common() -> None:
    early, later = within("bo", NOW, NOW + 3 * HOUR), within("cy", NOW + HOUR, NOW + 4 * HOUR)

    found = standing(early, later)

    assert (found.state, found.begins_at, found.ends_at) == ("approved", NOW + HOUR, NOW + 3 * HOUR)


def test_a_window_apart_from_the_others_does_not_count() -> None:
    early, later = within("bo", NOW, NOW + HOUR), within("cy", NOW + HOUR, NOW + 2 * HOUR)

    assert len(counted(QUESTION, (early, later), TWO)) == 1
    assert standing(early, later).state == "waiting"


def test_a_statement_that_lay_about_is_too_late() -> None:
    assert late(said("bo"), NOW + timedelta(seconds=60)) == ""
    assert "61 s from the ledger's clock, limit 60 s" in late(said("bo"), NOW + timedelta(0, 61))
    assert late(said("bo"), NOW - timedelta(seconds=61)) != ""


moments = st.datetimes(timezones=st.just(UTC))
statements = st.builds(
    Statement,
    st.just(QUESTION.bound),
    st.builds(
        Speaker,
        st.text(),
        st.lists(st.text()).map(tuple),
        st.just("oidc"),
        st.none() | moments,
    ),
    st.builds(
        Decision,
        st.just("approved"),
        st.text(),
        st.text(),
        st.none() | moments,
        st.none() | moments,
    ),
    moments,
    st.text(),
)


@given(statements)
def test_a_statement_is_read_from_its_text_as_it_was_written(statement: Statement) -> None:
    assert read(statement.text) == statement
    assert SignedStatement(statement.text, "").statement == statement


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"kind":"tradewind audit head 1"}',
        json.dumps({"kind": "tradewind statement 1"}),
    ],
)
def test_a_text_that_is_no_statement_is_none(text: str) -> None:
    with pytest.raises(ValueError):
        read(text)


def test_a_text_in_another_form_is_not_what_was_signed() -> None:
    loose = json.dumps(json.loads(said("bo").text))

    with pytest.raises(ValueError, match="canonical"):
        _ = SignedStatement(loose, "").statement


@pytest.mark.parametrize(
    ("approving", "told"),
    [
        (Approving(), ()),
        (Approving(signed=True, quorum=2, groups=("ops",), second_factor=True), ()),
        (Approving(quorum=2), ("quorum is 2, signed is false: a typed name proves nobody",)),
        (
            Approving(signed=True, groups=("ops", "ops")),
            ("groups is 'ops', 'ops': each group has a name and stands there once",),
        ),
    ],
)
def test_settings_that_do_not_agree_are_named(approving: Approving, told: tuple[str, ...]) -> None:
    assert objections(approving) == told


def test_a_whole_release_is_shown_by_what_moves() -> None:
    row = Deployment(
        7, "2026.11.24.1", "production", "release", "run", "A|nn", "planned", "", 1, {}, NOW, None
    )
    moved = Change("storefront", "web", Serving("1", "sha256:a"), Serving("2", "sha256:b"))

    text = page(row, APPROVAL, [moved], "unchanged")

    assert "| storefront | 1 | 2 |" in text
    assert r"**A\|nn**" in text
