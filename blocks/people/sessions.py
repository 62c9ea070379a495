"""Sessions: idle for at most 8 hours, 12 hours altogether; only digests of them are stored."""

import secrets
from datetime import datetime, timedelta

from blocks.ledger.store import Row, Store
from blocks.people.proofs import digest
from domain.access.rules import ABSOLUTE, expires_at

SEEN_EVERY = timedelta(seconds=60)
"""A session in use is written down this often, not at every call."""


class Sessions:
    def __init__(self, store: Store) -> None:
        self._store = store

    def begin(self, name: str, via: str, address: str, times: tuple[datetime, bool]) -> str:
        """A new session's token; ``times`` are now, and whether a second factor was proved now."""
        now, factor = times
        token = secrets.token_urlsafe(32)
        with self._store.connection() as connection:
            connection.execute("DELETE FROM sessions WHERE begun_at <= %s", [now - ABSOLUTE])
            connection.execute(
                "INSERT INTO sessions (digest, person, via, address, begun_at, seen_at, factor_at)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s)",
                [digest(token), name, via, address, now, now, now if factor else None],
            )
        return token

    def find(self, number: str, now: datetime) -> Row | None:
        """By its digest, while it holds; being asked for keeps it from becoming idle."""
        row = self._store.row("SELECT * FROM sessions WHERE digest = %s", number)
        if row is None or now >= expires_at(row["begun_at"], row["seen_at"]):
            return None
        if now - row["seen_at"] >= SEEN_EVERY:
            self._run("UPDATE sessions SET seen_at = %s WHERE digest = %s", now, number)
        return row

    def proved(self, number: str, now: datetime) -> None:
        """Its person's second factor, now."""
        self._run("UPDATE sessions SET factor_at = %s WHERE digest = %s", now, number)

    def end(self, number: str) -> None:
        self._run("DELETE FROM sessions WHERE digest = %s", number)

    def end_all(self, name: str) -> None:
        self._run("DELETE FROM sessions WHERE person = %s", name)

    def _run(self, query: str, *values: object) -> None:
        with self._store.connection() as connection:
            connection.execute(query, values)
