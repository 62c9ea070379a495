"""Failed tries to prove who one is: how many are allowed, by name and by address."""

from collections.abc import Callable
from datetime import datetime

import psycopg
from psycopg.rows import DictRow

from blocks.ledger.store import Store
from domain.access.rules import (
    FAILURE_WINDOW,
    FAILURES_OF_A_NAME,
    FAILURES_OF_AN_ADDRESS,
    too_many,
    try_again_at,
)
from domain.errors import Refused


class Tries:
    """A try counts as failed from its beginning, so that many at once are no way around."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def begin(self, name: str, address: str) -> int:
        """The try's number. Refused, naming when to try again, after too many failures."""
        now = self._clock()
        with self._store.connection() as connection:
            connection.execute("LOCK TABLE login_failures IN SHARE ROW EXCLUSIVE MODE")
            connection.execute("DELETE FROM login_failures WHERE at <= %s", [now - FAILURE_WINDOW])
            again = [
                try_again_at(_failures(connection, "name", name), FAILURES_OF_A_NAME, now),
                try_again_at(_failures(connection, "address", address), FAILURES_OF_AN_ADDRESS, now)
                if address
                else None,
            ]
            _refuse_before([at for at in again if at is not None])
            return _recorded(connection, name, address, now)

    def good(self, number: int) -> None:
        """It was no failure after all."""
        with self._store.connection() as connection:
            connection.execute("DELETE FROM login_failures WHERE id = %s", [number])


def _refuse_before(again: list[datetime]) -> None:
    if again:
        raise Refused(too_many(max(again)))


def _failures(connection: psycopg.Connection[DictRow], column: str, value: str) -> list[datetime]:
    query = {
        "name": "SELECT at FROM login_failures WHERE name = %s",
        "address": "SELECT at FROM login_failures WHERE address = %s",
    }[column]
    return [row["at"] for row in connection.execute(query, [value]).fetchall()]


def _recorded(
    connection: psycopg.Connection[DictRow], name: str, address: str, now: datetime
) -> int:
    row = connection.execute(
        "INSERT INTO login_failures (name, address, at) VALUES (%s, %s, %s) RETURNING id",
        [name, address, now],
    ).fetchone()
    assert row is not None
    return int(row["id"])
