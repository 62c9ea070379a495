"""The people on record: every change of them is audited, by the digest of its content."""

import logging
from collections.abc import Mapping
from typing import Any

from psycopg.types.json import Jsonb

from blocks.ledger.store import Row, Store, Writer
from domain.access.people import Person, checked, grants_of
from domain.access.roles import Grant
from domain.errors import Refused

logger = logging.getLogger("tradewind.people")


class Register:
    """Reads and changes rows; whether ``by`` may do so is for the caller to have asked."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, name: str) -> Person:
        """Refused when there is nobody of that name."""
        return person_of(self._row(name))

    def all(self) -> tuple[Person, ...]:
        """By name, disabled ones included."""
        return tuple(map(person_of, self._store.rows("SELECT * FROM people ORDER BY name")))

    def has_totp(self, name: str) -> bool:
        """Whether a second factor was enrolled and confirmed."""
        return bool(self._row(name)["totp"])

    def regrant(self, name: str, grants: tuple[Grant, ...], by: str) -> Person:
        """These grants and no others, from the next call on. BadInput names what is wrong."""
        checked(Person(name, grants=grants))
        return self._change(f"grant to {name}", name, {"grants": stored_grants(grants)}, by)

    def regroup(self, name: str, groups: tuple[str, ...], by: str) -> Person:
        """These groups and no others. BadInput names what is wrong."""
        checked(Person(name, groups=groups))
        return self._change(f"groups of {name}", name, {"groups": list(groups)}, by)

    def enable(self, name: str, by: str) -> Person:
        return self._change(f"enable {name}", name, {"disabled": False}, by)

    def link(self, name: str, issuer: str, subject: str, by: str = "") -> None:
        """Whoever the issuer calls ``subject`` is this person, and was nobody else's before."""
        with self._store.writing(f"link {name}", by or name) as writer:
            _locked(writer, name)
            values = {"issuer": issuer, "subject": subject, "person": name}
            writer.put("identities", values)

    def from_oidc(self, issuer: str, subject: str, email: str) -> Person | None:
        """Who was linked to the identity; an address of mail proves nothing and is only logged."""
        row = self._store.row(
            "SELECT people.* FROM people JOIN identities ON person = name"
            " WHERE issuer = %s AND subject = %s AND NOT disabled",
            issuer,
            subject,
        )
        if row is None:
            logger.warning("%r (%r) of %r is linked to nobody", subject, email, issuer)
        return person_of(row) if row else None

    def _add(self, person: Person, password: str, by: str) -> Person:
        with self._store.writing(f"add {person.name}", by) as writer:
            writer.connection.execute("LOCK TABLE people IN SHARE ROW EXCLUSIVE MODE")
            if writer.row("SELECT name FROM people WHERE name = %s", person.name):
                raise Refused(f"there is {person.name} already")
            return person_of(writer.put("people", {**_stored(person), "password": password}))

    def _change(self, what: str, name: str, values: Mapping[str, Any], by: str) -> Person:
        with self._store.writing(what, by) as writer:
            _locked(writer, name)
            return person_of(writer.change("people", {"name": name}, dict(values)))

    def _row(self, name: str) -> Row:
        row = self._store.row("SELECT * FROM people WHERE name = %s", name)
        if row is None:
            raise Refused(f"there is nobody called {name!r}")
        return row


def person_of(row: Row) -> Person:
    return Person(
        row["name"],
        row["display"],
        grants_of(row["grants"]),
        tuple(row["groups"]),
        row["disabled"],
    )


def stored_grants(grants: tuple[Grant, ...]) -> Jsonb:
    """As ``grants_of`` reads them."""
    return Jsonb([vars(grant) for grant in grants])


def _stored(person: Person) -> Row:
    return {
        **vars(person),
        "grants": stored_grants(person.grants),
        "groups": list(person.groups),
    }


def _locked(writer: Writer, name: str) -> Row:
    row = writer.row("SELECT * FROM people WHERE name = %s FOR UPDATE", name)
    if row is None:
        raise Refused(f"there is nobody called {name!r}")
    return row
