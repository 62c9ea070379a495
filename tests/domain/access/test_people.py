"""People, what a session or a token lets them do, and the limits on trying."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.access.people import (
    NEVER_BY_TOKEN,
    Person,
    Session,
    Signed,
    Via,
    checked,
    checked_password,
    grants_of,
)
from domain.access.roles import PERMISSIONS, Grant, Permission, allowed
from domain.access.rules import (
    ABSOLUTE,
    FAILURE_WINDOW,
    IDLE,
    code_steps,
    expires_at,
    token_days,
    try_again_at,
)
from domain.errors import BadInput
from tests.domain.access.test_roles import asked, many, place, some

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ANN = Person("ann", "Ann", (Grant("admin"),))
minutes = st.integers(-60, 60).map(lambda one: NOW + timedelta(minutes=one))


def signed(person: Person, scope: tuple[Grant, ...], via: Via = "token") -> Signed:
    return Signed(person, scope, via, "token 1")


@given(many, many, asked, place, some)
def test_a_token_does_what_both_its_person_and_its_scope_allow_and_never_approves(
    held: tuple[Grant, ...],
    scope: tuple[Grant, ...],
    permission: Permission,
    environment: str,
    services: tuple[str, ...],
) -> None:
    may = signed(Person("bo", grants=held), scope).may(permission, environment, services)

    both = all(allowed(one, permission, environment, services) for one in (held, scope))
    assert may == (both and permission not in NEVER_BY_TOKEN)


@given(many, asked, place, some)
def test_whoever_is_disabled_may_nothing(
    held: tuple[Grant, ...], permission: Permission, environment: str, services: tuple[str, ...]
) -> None:
    nobody = signed(Person("bo", grants=held, disabled=True), held, "password")

    assert not nobody.may(permission, environment, services)
    assert not nobody.may_anywhere(permission)


def test_an_admin_with_a_session_may_everything_and_with_a_token_what_needs_no_person() -> None:
    session, token = signed(ANN, ANN.grants, "password"), signed(ANN, ANN.grants)

    assert all(session.may(one) and session.may_anywhere(one) for one in PERMISSIONS)
    assert [one for one in PERMISSIONS if token.may_anywhere(one)] == [
        "view",
        "release",
        "rollback",
        "stop",
    ]


def test_a_second_factor_is_fresh_for_so_many_seconds() -> None:
    proved = replace(signed(ANN, ANN.grants, "password"), factor_at=NOW)

    assert proved.factor_fresh(NOW + timedelta(seconds=300), 300)
    assert not proved.factor_fresh(NOW + timedelta(seconds=301), 300)
    assert not replace(proved, factor_at=None).factor_fresh(NOW, 300)


def test_a_sessions_token_is_not_shown_with_it() -> None:
    assert "secret" not in repr(Session("secret", ANN, NOW))


@pytest.mark.parametrize(
    ("person", "said"),
    [
        (Person("Ann"), "name is 'Ann', it has to be 1 to 40 of a-z 0-9 . _ -"),
        (Person("a" * 41), "1 to 40"),
        (Person("ann\n"), "1 to 40"),
        (Person("ann", "x" * 101), "display has 101 characters, it may have 100"),
        (Person("ann", "a\x1b[2J"), "all printable"),
        (Person("ann", groups=("ops team",)), "groups have 'ops team'"),
        (Person("ann", grants=(Grant("viewer", ("a/b",)),)), "environments of a grant have 'a/b'"),
        (Person("ann", grants=(Grant("viewer", (), ("",)),)), "services of a grant have ''"),
        (Person("ann", grants=(Grant("viewer"),) * 51), "grants are 51, there may be 50"),
        (Person("tradewind"), "name is 'tradewind', which the audit calls Tradewind itself"),
    ],
)
def test_what_is_wrong_with_a_person_names_field_value_and_limit(person: Person, said: str) -> None:
    with pytest.raises(BadInput) as refused:
        checked(person)

    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("elevenchars", "password has 11 characters, it has to have 12 to 200"),
        ("x" * 201, "has 201 characters"),
        ("annemarie-schmidt", "the name or little more"),
        ("ANNEMARIE-SCHMIDT!", "the name or little more"),
    ],
)
def test_a_bad_password_is_refused_and_not_repeated(password: str, said: str) -> None:
    with pytest.raises(BadInput, match=said) as refused:
        checked_password("annemarie-schmidt", password)

    assert password not in str(refused.value)


def test_a_password_may_have_a_short_name_in_it() -> None:
    assert checked_password("al", "small teapots all over")


def test_grants_are_read_as_they_were_written() -> None:
    held = (Grant("releaser", ("staging",), ("web", "api")), Grant("viewer"))

    assert grants_of([vars(one) for one in held]) == held


@given(st.lists(minutes, max_size=30), st.integers(1, 20))
def test_after_too_many_failures_the_time_named_is_when_there_are_fewer(
    failures: list[datetime], most: int
) -> None:
    past = [at for at in failures if at <= NOW]

    again = try_again_at(past, most, NOW)

    if again is None:
        assert sum(NOW - at < FAILURE_WINDOW for at in past) < most
    else:
        assert NOW < again <= NOW + FAILURE_WINDOW
        assert try_again_at(past, most, again) is None
        assert try_again_at(past, most, again - timedelta(microseconds=1)) == again


@given(minutes, st.integers(0, 800))
def test_a_session_ends_when_idle_and_at_last_whatever_its_use(begun: datetime, used: int) -> None:
    seen = begun + timedelta(minutes=used)

    ends = expires_at(begun, seen)

    assert ends <= begun + ABSOLUTE
    assert ends <= seen + IDLE


def test_a_code_counts_in_its_own_half_minute_and_beside_it() -> None:
    assert code_steps(datetime.fromtimestamp(89, UTC)) == (1, 2, 3)


@pytest.mark.parametrize("days", [0, -1, 367])
def test_a_token_holds_a_day_to_a_year(days: int) -> None:
    with pytest.raises(BadInput, match=f"days are {days}, they have to be 1 to 366"):
        token_days(days)
