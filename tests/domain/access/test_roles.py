"""Roles: everything that is not granted is denied."""

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.access import roles, rules
from domain.access.roles import (
    PERMISSIONS,
    PERMITTED,
    ROLES,
    Grant,
    Permission,
    Role,
    allowed,
    anywhere,
    role_of,
)
from domain.errors import BadInput

PLACES, THINGS = ("staging", "production", "lab"), ("web", "api", "jobs")
some = st.lists(st.sampled_from(THINGS), unique=True).map(tuple)
places = st.lists(st.sampled_from(PLACES), unique=True).map(tuple)
grants = st.builds(Grant, st.sampled_from(ROLES), places, some)
many = st.lists(grants, max_size=4).map(tuple)
asked = st.sampled_from(PERMISSIONS)
place = st.sampled_from(("", *PLACES))


@given(asked, place, some)
def test_without_a_grant_nothing_is_allowed(
    permission: Permission, environment: str, services: tuple[str, ...]
) -> None:
    assert not allowed((), permission, environment, services)


@given(many, grants, asked, place, some)
def test_a_further_grant_never_takes_anything_away(
    held: tuple[Grant, ...],
    more: Grant,
    permission: Permission,
    environment: str,
    services: tuple[str, ...],
) -> None:
    before = allowed(held, permission, environment, services)

    assert allowed((*held, more), permission, environment, services) or not before


@given(many, asked, place, some)
def test_what_is_allowed_is_allowed_by_one_grant_that_names_all_of_it(
    held: tuple[Grant, ...], permission: Permission, environment: str, services: tuple[str, ...]
) -> None:
    named = permission != "view" or environment or services
    by = [
        one
        for one in held
        if permission in PERMITTED[one.role]
        and (not named or not one.environments or environment in one.environments)
        and (not named or not one.services or (services and set(services) <= set(one.services)))
    ]

    assert allowed(held, permission, environment, services) == bool(by)


@given(many, asked.filter(lambda one: one != "view"))
def test_a_limited_grant_is_no_grant_for_everything(
    held: tuple[Grant, ...], permission: Permission
) -> None:
    limited = tuple(one for one in held if one.environments or one.services)

    assert not allowed(limited, permission)


@given(many, asked, place, some)
def test_a_smaller_request_is_allowed_where_a_bigger_one_is(
    held: tuple[Grant, ...], permission: Permission, environment: str, services: tuple[str, ...]
) -> None:
    if allowed(held, permission, environment, services):
        for fewer in services:
            assert allowed(held, permission, environment, (fewer,))
        assert anywhere(held, permission)
    if permission != "view" and allowed(held, permission):
        assert allowed(held, permission, environment, services)


@pytest.mark.parametrize(
    ("role", "permitted"),
    [
        ("viewer", {"view"}),
        ("releaser", {"view", "release", "rollback", "stop"}),
        ("approver", {"view", "stop", "approve"}),
        ("admin", set(PERMISSIONS)),
    ],
)
def test_the_table_of_roles(role: Role, permitted: set[str]) -> None:
    found = {permission for permission in PERMISSIONS if allowed((Grant(role),), permission)}

    assert found == permitted


def test_to_look_any_grant_will_do() -> None:
    held = (Grant("releaser", ("staging",), ("web",)),)

    assert allowed(held, "view")
    assert not allowed(held, "view", "production")


def test_a_role_that_there_is_not_is_refused() -> None:
    with pytest.raises(BadInput, match="role is 'root', it has to be one of viewer, releaser"):
        role_of("root")


def test_the_worked_examples_hold() -> None:
    assert [doctest.testmod(module).failed for module in (roles, rules)] == [0, 0]
