"""Who may change a database: one fence of epochs, and behind it what was applied already."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from blocks.database import Database
from blocks.database.locks import Patience, limited
from domain.errors import Fenced, Refused, Unavailable
from domain.schema.migration import Unit
from domain.schema.settings import Migrations

Session = psycopg.Connection[tuple[Any, ...]]
TABLES = """
CREATE SCHEMA IF NOT EXISTS tradewind;
CREATE TABLE IF NOT EXISTS tradewind.fence (
    single boolean PRIMARY KEY DEFAULT true CHECK (single), epoch bigint NOT NULL
);
CREATE TABLE IF NOT EXISTS tradewind.applied (key text PRIMARY KEY, digest text NOT NULL);
CREATE TABLE IF NOT EXISTS tradewind.finished (revision text PRIMARY KEY, epoch bigint NOT NULL);
CREATE TABLE IF NOT EXISTS tradewind.backfill (
    key text PRIMARY KEY, next_block bigint NOT NULL, total_blocks bigint NOT NULL,
    rows bigint NOT NULL
);
INSERT INTO tradewind.fence (epoch) VALUES (0) ON CONFLICT DO NOTHING;
"""
END_MS = 5000
OLDER = """
SELECT pid FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid()
   AND application_name ~ '^tradewind epoch \\d+$'
   AND split_part(application_name, ' ', 3)::bigint < %s
"""
"""Code that holds the fence has a name of its own: ending its backend would not end the code."""


@dataclass(frozen=True)
class Fence:
    """The fence of one database, for an executor with this epoch."""

    database: Database
    epoch: int
    limits: Migrations

    @contextmanager
    def session(self, suffix: str = "") -> Iterator[Session]:
        """A connection that commits by itself; a newer executor finds it by its name."""
        with self.database.session(f"tradewind epoch {self.epoch}{suffix}") as connection:
            yield connection

    def claim(self) -> None:
        """Raises the epoch and ends older executors: none of them changes anything from here on.

        Raises Fenced for a stale epoch, Unavailable while an older executor's code still runs.
        """
        self.prepare()
        with self.session() as connection:
            self.end_older(connection)  # they may hold the fence
            try:
                Patience(self.limits).over(lambda: self._raised(connection))
            except psycopg.errors.LockNotAvailable as error:
                raise Unavailable("another executor's step still runs in the database") from error
            self.end_older(connection)  # one that had passed the fence before it was raised

    def _raised(self, connection: Session) -> None:
        with connection.transaction():
            limited(connection, self.limits)
            self._hold(connection)

    def check(self, connection: Session) -> None:
        """Raises Fenced for a stale epoch, and waits for nobody."""
        row = connection.execute("SELECT epoch FROM tradewind.fence").fetchone()
        self._compare(int(row[0]) if row else 0)

    @contextmanager
    def behind(self, connection: Session, unit: Unit) -> Iterator[bool]:
        """A transaction that holds the fence; whether ``unit`` is still to be done.

        Raises Fenced for a stale epoch; LockNotAvailable when a rival holds the fence too long.
        """
        with connection.transaction():
            limited(connection, self.limits)
            self._hold(connection)
            yield not _found(connection, unit, self.epoch)

    def record(self, connection: Session, unit: Unit) -> None:
        """Within ``behind``: ``unit`` is done.

        After the last unit of a revision the migrator's own record tells, so that a schema taken
        back by hand can be migrated again; only rivals of this epoch still find it finished.
        """
        connection.execute("DELETE FROM tradewind.backfill WHERE key = %s", [unit.name])
        if not unit.last:
            applied = "INSERT INTO tradewind.applied (key, digest) VALUES (%s, %s)"
            connection.execute(applied, (unit.name, unit.digest))
            return
        name = unit.revision.name
        rows = "DELETE FROM tradewind.applied WHERE regexp_replace(key, '/[0-9]+$', '') = %s"
        connection.execute(rows, [name])
        connection.execute(
            "INSERT INTO tradewind.finished (revision, epoch) VALUES (%s, %s)"
            " ON CONFLICT (revision) DO UPDATE SET epoch = excluded.epoch",
            (name, self.epoch),
        )

    def end_older(self, connection: Session) -> None:
        """Ends the backends of executors with a lower epoch, and waits until they are gone."""
        for (pid,) in connection.execute(OLDER, [self.epoch]).fetchall():
            connection.execute("SELECT pg_terminate_backend(%s, %s)", (pid, END_MS))

    def _hold(self, connection: Session) -> None:
        row = connection.execute("SELECT epoch FROM tradewind.fence FOR UPDATE").fetchone()
        seen = int(row[0]) if row else 0
        self._compare(seen)
        if seen < self.epoch:
            connection.execute("UPDATE tradewind.fence SET epoch = %s", [self.epoch])

    def _compare(self, seen: int) -> None:
        if seen > self.epoch:
            raise Fenced(f"epoch {self.epoch} is over, the database has seen {seen}")

    def prepare(self) -> None:
        with self.session() as connection, connection.transaction():
            there = "SELECT to_regclass('tradewind.finished'), to_regclass('tradewind.backfill')"
            if None in (connection.execute(there).fetchone() or (None,)):
                connection.execute("SELECT pg_advisory_xact_lock(hashtext('tradewind'))")
                connection.execute(TABLES.encode())


def _found(connection: Session, unit: Unit, epoch: int) -> bool:
    query = "SELECT digest FROM tradewind.applied WHERE key = %s"
    row = connection.execute(query, [unit.name]).fetchone()
    if row and row[0] != unit.digest:
        raise Refused(f"{unit.name} was applied with other SQL: {row[0]}, not {unit.digest}")
    finished = "SELECT 1 FROM tradewind.finished WHERE revision = %s AND epoch = %s"
    name = unit.revision.name
    return bool(row or connection.execute(finished, (name, epoch)).fetchone())
