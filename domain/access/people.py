"""People, and who somebody is while signed in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from domain.access.roles import Grant, Permission, allowed, anywhere, role_of
from domain.errors import BadInput

NAME = re.compile(r"[a-z0-9._-]{1,40}")
WORD = re.compile(r"[A-Za-z0-9._-]{1,60}")
RESERVED = ("tradewind", "contracts")
"""Who the audit says it was when it was Tradewind itself."""

MOST_DISPLAY, MOST_GRANTS, MOST_NAMES = 100, 50, 100
LEAST_PASSWORD, MOST_PASSWORD = 12, 200
NEVER_BY_TOKEN: tuple[Permission, ...] = ("approve", "override", "manage")
"""A token has no second factor, and may have been stolen: these take a person."""

Via = Literal["password", "oidc", "token"]


@dataclass(frozen=True)
class Person:
    """Somebody who may sign in; ``name`` is the login."""

    name: str
    display: str = ""
    grants: tuple[Grant, ...] = ()
    groups: tuple[str, ...] = ()
    disabled: bool = False


@dataclass(frozen=True)
class Session:
    """What signing in gave: ``token`` is for the browser alone and is stored nowhere in clear.

    It holds until ``expires_at`` at the latest, and ends before that when it is idle.
    """

    token: str = field(repr=False)
    person: Person
    expires_at: datetime


@dataclass(frozen=True)
class Signed:
    """Who is asking, and by what.

    ``grants`` are the person's own or, with a token, those the token was given; only what both
    permit is permitted. ``session`` names the session or token and opens nothing. ``factor_at`` is
    when a second factor was last proved in this session.
    """

    person: Person
    grants: tuple[Grant, ...]
    via: Via
    session: str
    factor_at: datetime | None = None

    def may(
        self, permission: Permission, environment: str = "", services: tuple[str, ...] = ()
    ) -> bool:
        """Deny by default; without names it is asked for every environment and service."""
        return self._kind_of_thing(permission) and all(
            allowed(grants, permission, environment, services)
            for grants in (self.person.grants, self.grants)
        )

    def may_anywhere(self, permission: Permission) -> bool:
        """A first look, while it is not yet known what is asked for; never the last word."""
        return self._kind_of_thing(permission) and all(
            anywhere(grants, permission) for grants in (self.person.grants, self.grants)
        )

    def factor_fresh(self, now: datetime, seconds: float) -> bool:
        """Whether the second factor was proved within so many seconds."""
        return self.factor_at is not None and now - self.factor_at <= timedelta(seconds=seconds)

    def _kind_of_thing(self, permission: Permission) -> bool:
        by_token = self.via == "token" and permission in NEVER_BY_TOKEN
        return not self.person.disabled and not by_token


def checked(person: Person) -> Person:
    """The same person; BadInput names every field that is not as it has to be."""
    objections = (*_of_person(person), *grants_objections(person.grants))
    if objections:
        raise BadInput(*objections)
    return person


def checked_password(name: str, password: str) -> str:
    """The same password; BadInput never repeats it."""
    if not LEAST_PASSWORD <= len(password) <= MOST_PASSWORD:
        raise BadInput(
            f"password has {len(password)} characters, it has to have"
            f" {LEAST_PASSWORD} to {MOST_PASSWORD}"
        )
    if name.casefold() in password.casefold() and len(password) < LEAST_PASSWORD + len(name):
        raise BadInput("password is the name or little more, it has to be something else")
    return password


def grants_objections(grants: tuple[Grant, ...]) -> tuple[str, ...]:
    """What is wrong with grants, each in a sentence."""
    if len(grants) > MOST_GRANTS:
        return (f"grants are {len(grants)}, there may be {MOST_GRANTS}",)
    named = [(f"{kind} of a grant", names) for grant in grants
             for kind, names in (("environments", grant.environments),
                                 ("services", grant.services))]  # fmt: skip
    return tuple(line for field_name, names in named for line in _of_words(field_name, names))


def grants_of(stored: list[Mapping[str, Any]]) -> tuple[Grant, ...]:
    """As ``vars(grant)`` wrote them; BadInput for a role that there is not."""
    return tuple(
        Grant(role_of(one["role"]), tuple(one["environments"]), tuple(one["services"]))
        for one in stored
    )


def _of_person(person: Person) -> tuple[str, ...]:
    found = list(_of_words("groups", person.groups))
    if not NAME.fullmatch(person.name):
        found.append(f"name is {person.name[:50]!r}, it has to be 1 to 40 of a-z 0-9 . _ -")
    if person.name in RESERVED:
        found.append(f"name is {person.name!r}, which the audit calls Tradewind itself")
    if len(person.display) > MOST_DISPLAY or not person.display.isprintable():
        found.append(
            f"display has {len(person.display)} characters, it may have {MOST_DISPLAY}, all"
            " printable"
        )
    return tuple(found)


def _of_words(field_name: str, words: tuple[str, ...]) -> tuple[str, ...]:
    if len(words) > MOST_NAMES:
        return (f"{field_name} are {len(words)}, there may be {MOST_NAMES}",)
    return tuple(
        f"{field_name} have {word[:70]!r}, it has to be 1 to 60 of A-Z a-z 0-9 . _ -"
        for word in words
        if not WORD.fullmatch(word)
    )
