"""People: how they prove who they are, and for how long that holds."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

from argon2 import PasswordHasher

from blocks.ledger.store import Row, Store
from blocks.people.proofs import Codes, Passwords, digest
from blocks.people.register import Register, person_of
from blocks.people.sessions import Sessions
from blocks.people.tries import Tries
from domain.access.people import NAME, Person, Session, Signed, Via, checked, checked_password
from domain.access.rules import ABSOLUTE, WRONG
from domain.errors import Refused


def now_utc() -> datetime:
    return datetime.now(UTC)


class People(Register):
    """Signs people in and out; ``key`` is the Fernet key that seals their second factors.

    Passwords are hashed by ``hasher``: argon2id with the library's own costs where none is given.

    Whether ``by`` may change somebody is for the caller to have asked.
    """

    def __init__(
        self,
        url: str,
        key: bytes,
        clock: Callable[[], datetime] = now_utc,
        hasher: PasswordHasher | None = None,
    ) -> None:
        store = Store(url)
        super().__init__(store)
        self._clock = clock
        self._passwords = Passwords(hasher or PasswordHasher())
        self._codes = Codes(key)
        self._nobodys_code = self._codes.fresh("")[0]
        self._tries = Tries(store, clock)
        self._sessions = Sessions(store)

    def add(self, person: Person, password: str, by: str) -> Person:
        """BadInput names what is wrong; Refused when the name is taken."""
        checked_password(checked(person).name, password)
        return self._add(person, self._passwords.hashed(password), by)

    def set_password(self, name: str, password: str, by: str) -> None:
        """Ends the person's sessions. BadInput names what is wrong with the password."""
        hashed = self._passwords.hashed(checked_password(name, password))
        self._change(f"password of {name}", name, {"password": hashed}, by)
        self.end_all(name)

    def disable(self, name: str, by: str) -> Person:
        """At once: sessions end, and tokens open nothing."""
        person = self._change(f"disable {name}", name, {"disabled": True}, by)
        self.end_all(name)
        return person

    def enrol_totp(self, name: str, by: str = "") -> str:
        """The ``otpauth:`` address for the person's app; counts once ``confirm_totp`` saw a code.

        An older second factor holds until then.
        """
        sealed, address = self._codes.fresh(name)
        self._change(f"enrol factor of {name}", name, {"totp_pending": sealed}, by or name)
        return address

    def confirm_totp(self, name: str, code: str) -> None:
        """From now on the new second factor is asked for. Refused for a wrong code."""
        sealed = self._row(name)["totp_pending"]
        if not sealed:
            raise Refused(f"{name} has no second factor that waits to be confirmed")
        if not self._code_counts(name, sealed, code):
            raise Refused("code is wrong: has the device with the app the right time?")
        confirmed = {"totp": sealed, "totp_pending": ""}
        self._change(f"confirm factor of {name}", name, confirmed, name)

    def signed_in(self, name: str, password: str, code: str, address: str) -> Session:
        """Without an enrolled second factor any code will do, and none was proved.

        Refused in one sentence whatever was wrong, and after too many failures with the time to
        try again; an unknown name takes the same work.
        """
        known = name if NAME.fullmatch(name) else ""
        number = self._tries.begin(known, address)
        row = self._store.row("SELECT * FROM people WHERE name = %s", known)
        if not self._proved(row, password, code):
            raise Refused(WRONG)
        assert row is not None
        self._tries.good(number)
        return self._begun(person_of(row), "password", address, bool(row["totp"]))

    def begin(self, name: str, via: Literal["oidc"], address: str) -> Session:
        """For whom an OIDC issuer vouched; no second factor of ours was proved.

        Refused when the person is disabled or unknown.
        """
        person = self.get(name)
        if person.disabled:
            raise Refused(WRONG)
        return self._begun(person, via, address, False)

    def fresh_factor(self, session: str, code: str) -> Signed:
        """Proves the second factor again; ``session`` is ``Signed.session``, never the cookie.

        Refused for a wrong or used code, too many of them, no second factor, or no such session.
        """
        now = self._clock()
        signed = self._signed(session, now)
        if signed is None:
            raise Refused("there is no such session: sign in with name, password and code")
        self._prove_factor(signed.person.name, code)
        self._sessions.proved(session, now)
        return Signed(signed.person, signed.grants, signed.via, session, now)

    def session(self, token: str, now: datetime) -> Signed | None:
        """Who the cookie's token belongs to; idle 8 hours, 12 altogether, then None."""
        return self._signed(digest(token), now)

    def end_session(self, token: str) -> None:
        """Signs out; ``token`` is the cookie's."""
        self._sessions.end(digest(token))

    def end_all(self, name: str) -> None:
        """Every session of the person."""
        self._sessions.end_all(name)

    def _signed(self, number: str, now: datetime) -> Signed | None:
        row = self._sessions.find(number, now)
        person = self.get(row["person"]) if row else None
        if row is None or person is None or person.disabled:
            return None
        return Signed(person, person.grants, row["via"], number, row["factor_at"])

    def _begun(self, person: Person, via: Via, address: str, factor: bool) -> Session:
        now = self._clock()
        token = self._sessions.begin(person.name, via, address, (now, factor))
        return Session(token, person, now + ABSOLUTE)

    def _proved(self, row: Row | None, password: str, code: str) -> bool:
        """Both are looked at, whichever is wrong; a code is used up only beside its password."""
        name, sealed = (row["name"], row["totp"]) if row else ("", "")
        step = self._codes.step(
            name if sealed else "", sealed or self._nobodys_code, code, self._clock()
        )
        good = self._passwords.match(row["password"] if row else None, password)
        if row is None or not good or row["disabled"]:
            return False
        return not sealed or (step is not None and self._used_first(name, step))

    def _prove_factor(self, name: str, code: str) -> None:
        sealed = self._row(name)["totp"]
        if not sealed:
            raise Refused(f"{name} has no second factor: enrol one first")
        number = self._tries.begin(f"factor:{name}", "")
        if not self._code_counts(name, sealed, code):
            raise Refused("code is wrong, or was used already: wait for the next one")
        self._tries.good(number)

    def _code_counts(self, name: str, sealed: str, code: str) -> bool:
        step = self._codes.step(name, sealed, code, self._clock())
        return step is not None and self._used_first(name, step)

    def _used_first(self, name: str, step: int) -> bool:
        """One code counts once: of several at the same moment, one is the first."""
        with self._store.connection() as connection:
            connection.execute(
                "DELETE FROM used_codes WHERE person = %s AND step < %s", [name, step - 2]
            )
            row = connection.execute(
                "INSERT INTO used_codes (person, step) VALUES (%s, %s)"
                " ON CONFLICT DO NOTHING RETURNING step",
                [name, step],
            ).fetchone()
        return row is not None
