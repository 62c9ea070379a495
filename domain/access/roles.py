"""Roles and what they permit; everything that is not granted is denied.

| role     | view | release | rollback | stop | approve | override | manage |
|----------|------|---------|----------|------|---------|----------|--------|
| viewer   | yes  |         |          |      |         |          |        |
| releaser | yes  | yes     | yes      | yes  |         |          |        |
| approver | yes  |         |          | yes  | yes     |          |        |
| admin    | yes  | yes     | yes      | yes  | yes     | yes      | yes    |

That nobody approves a request of their own is no matter of roles: ``domain.journal`` says so, of
admins too.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from domain.errors import BadInput

Role = Literal["viewer", "releaser", "approver", "admin"]
Permission = Literal["view", "release", "rollback", "stop", "approve", "override", "manage"]
ROLES: tuple[Role, ...] = get_args(Role)
PERMISSIONS: tuple[Permission, ...] = get_args(Permission)

PERMITTED: Mapping[Role, frozenset[Permission]] = {
    "viewer": frozenset({"view"}),
    "releaser": frozenset({"view", "release", "rollback", "stop"}),
    "approver": frozenset({"view", "stop", "approve"}),
    "admin": frozenset(PERMISSIONS),
}


@dataclass(frozen=True)
class Grant:
    """A role in some environments and for some services; where none is named, in every one."""

    role: Role
    environments: tuple[str, ...] = ()
    services: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scope:
    """What is asked for; no environment means all of them, and no services mean every service."""

    permission: Permission
    environment: str | None = None
    services: tuple[str, ...] = ()


def covers(grant: Grant, scope: Scope) -> bool:
    """Whether this one grant permits all of it.

    >>> covers(Grant("releaser", services=("web",)), Scope("release", "staging", ("web", "api")))
    False
    """
    asked = scope.services
    return (
        scope.permission in PERMITTED[grant.role]
        and (not grant.environments or scope.environment in grant.environments)
        and (not grant.services or (bool(asked) and set(asked) <= set(grant.services)))
    )


def allowed(
    grants: Iterable[Grant],
    permission: Permission,
    environment: str = "",
    services: tuple[str, ...] = (),
) -> bool:
    """Whether one of the grants covers the request; a request without names is for everything.

    Looking is the exception: Prefect's pages show all environments at once, so to view without a
    name any grant will do.
    """
    if permission == "view" and not environment and not services:
        return anywhere(grants, "view")
    scope = Scope(permission, environment or None, services)
    return any(covers(grant, scope) for grant in grants)


def anywhere(grants: Iterable[Grant], permission: Permission) -> bool:
    """Whether the permission is granted for anything at all: before it is known for what."""
    return any(permission in PERMITTED[grant.role] for grant in grants)


def role_of(name: str) -> Role:
    """BadInput for a name that is no role."""
    for role in ROLES:
        if role == name:
            return role
    raise BadInput(f"role is {name!r}, it has to be one of {', '.join(ROLES)}")
