"""Tokens of the API: a person's, for a machine, never more than the person may."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from blocks.ledger.store import Row, Store
from blocks.people.proofs import digest
from blocks.people.register import Register, stored_grants
from domain.access.people import Signed, grants_objections, grants_of
from domain.access.roles import Grant
from domain.access.rules import token_days
from domain.errors import BadInput, Refused

PREFIX = "tw_"


@dataclass(frozen=True)
class Token:
    """A token as it is listed; what opens was shown once and is not kept."""

    id: str
    person: str
    scope: tuple[Grant, ...]
    issued_by: str
    issued_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    revoked_by: str


class Tokens:
    """Whether ``by`` may issue or revoke is for the caller to have asked."""

    def __init__(self, url: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._store = Store(url)
        self._register = Register(self._store)
        self._clock = clock

    def issue(self, name: str, by: str, scope: tuple[Grant, ...], days: int) -> str:
        """The token, ``tw_`` and 43 characters, shown this once. BadInput names what is wrong."""
        held = token_days(days)
        _check(scope)
        person = self._register.get(name)
        if person.disabled:
            raise Refused(f"{name} is disabled")
        plain, now = PREFIX + secrets.token_urlsafe(32), self._clock()
        with self._store.writing(f"issue token of {name}", by) as writer:
            writer.put(
                "tokens",
                {
                    "id": secrets.token_hex(4), "person": name, "digest": digest(plain),
                    "scope": stored_grants(scope), "issued_by": by, "issued_at": now,
                    "expires_at": now + held,
                },
            )  # fmt: skip
        return plain

    def found(self, plain: str, now: datetime) -> Signed | None:
        """Whose token it is, with what it was given; None when it is unknown, over or revoked."""
        row = self._store.row(
            "SELECT * FROM tokens WHERE digest = %s AND revoked_at IS NULL AND expires_at > %s",
            digest(plain),
            now,
        )
        if row is None or (person := self._register.get(row["person"])).disabled:
            return None
        return Signed(person, grants_of(row["scope"]), "token", f"token {row['id']}")

    def revoke(self, number: str, by: str) -> Token:
        """At once. Refused when there is no such token, or it was revoked before."""
        with self._store.writing(f"revoke token {number}", by) as writer:
            row = writer.row("SELECT * FROM tokens WHERE id = %s FOR UPDATE", number)
            if row is None:
                raise Refused(f"there is no token {number!r}")
            if row["revoked_at"] is not None:
                raise Refused(f"token {number} was revoked by {row['revoked_by']}")
            revoked = {"revoked_at": self._clock(), "revoked_by": by}
            return _token(writer.change("tokens", {"id": number}, revoked))

    def all(self) -> tuple[Token, ...]:
        """Newest first, those that are over included."""
        rows = self._store.rows("SELECT * FROM tokens ORDER BY issued_at DESC, id")
        return tuple(map(_token, rows))


def _check(scope: tuple[Grant, ...]) -> None:
    empty = () if scope else ("scope is empty: a token without a grant opens nothing",)
    objections = (*empty, *grants_objections(scope))
    if objections:
        raise BadInput(*objections)


def _token(row: Row) -> Token:
    shown = {name: value for name, value in row.items() if name != "digest"}
    return Token(**{**shown, "scope": grants_of(row["scope"])})
