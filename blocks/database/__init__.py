"""A shop's database: schema changes, backups that are proven, and its own queries."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from domain.errors import Failed, Fenced, Unavailable
from domain.migration import Migration
from domain.shop import Migrations

FENCE = """
CREATE SCHEMA IF NOT EXISTS tradewind;
CREATE TABLE IF NOT EXISTS tradewind.fence (
    single boolean PRIMARY KEY DEFAULT true CHECK (single), epoch bigint NOT NULL
);
CREATE TABLE IF NOT EXISTS tradewind.applied (key text PRIMARY KEY, digest text NOT NULL);
INSERT INTO tradewind.fence (epoch) VALUES (0) ON CONFLICT DO NOTHING;
"""
PAUSE_SECONDS = 0.2
SCRATCH_SECONDS = 6 * 3600.0


class Database:
    """PostgreSQL, by libpq's address."""

    def __init__(self, url: str) -> None:
        self.url = url

    def revision(self) -> str:
        """Where Alembic's own table says the schema is; "" for an empty database."""
        with self._connection() as connection:
            there = connection.execute("SELECT to_regclass('alembic_version') AS found").fetchone()
            if not there or there["found"] is None:
                return ""
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            return str(row["version_num"]) if row else ""

    def apply(self, migration: Migration, limits: Migrations, epoch: int, key: str) -> bool:
        """Exactly the approved SQL, in one fenced transaction; False when ``key`` did it before.

        Waits for locks ``lock_timeout_ms`` at a time, so that readers are never blocked longer.
        Raises Fenced for a stale epoch, Failed when it cannot be applied: nothing is changed then.
        """
        self._prepare_fence()
        for _ in range(limits.attempts):
            try:
                return self._applied(migration, limits, epoch, key)
            except psycopg.errors.LockNotAvailable:
                time.sleep(PAUSE_SECONDS)
            except psycopg.OperationalError as error:
                raise Unavailable(f"the database went away while migrating: {error}") from error
            except psycopg.Error as error:
                raise Failed(f"migration to {migration.after} failed, undone: {error}") from error
        waited = limits.attempts * limits.lock_timeout_ms / 1000
        raise Failed(f"migration to {migration.after}: no lock within {waited:.1f} s, undone")

    def _applied(self, migration: Migration, limits: Migrations, epoch: int, key: str) -> bool:
        with self._connection() as connection:
            _limit(connection, limits)
            row = connection.execute("SELECT epoch FROM tradewind.fence FOR UPDATE").fetchone()
            if row and row["epoch"] > epoch:
                raise Fenced(f"epoch {epoch} is over, the database has seen {row['epoch']}")
            connection.execute("UPDATE tradewind.fence SET epoch = %s", [epoch])
            new = connection.execute(
                "INSERT INTO tradewind.applied (key, digest) VALUES (%s, %s)"
                " ON CONFLICT DO NOTHING RETURNING key",
                (key, migration.digest),
            ).fetchone()
            if new is None:
                return False
            connection.execute(migration.sql.encode())
            return True

    def build(self, migration: Migration) -> None:
        """Runs the SQL without a fence: for a scratch database, which has no rival."""
        with self._connection() as connection:
            connection.execute(migration.sql.encode())

    def rows(self, query: str, values: Mapping[str, object]) -> list[dict[str, Any]]:
        with self._connection() as connection:
            return connection.execute(query.encode(), values).fetchall()

    def rows_at_once(
        self, queries: Mapping[str, str], values: Mapping[str, object]
    ) -> dict[str, list[dict[str, Any]]]:
        """Several queries on one snapshot: they all see the same moment."""
        with self._connection() as connection:
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            return {
                name: connection.execute(query.encode(), values).fetchall()
                for name, query in queries.items()
            }

    @contextmanager
    def scratch(self) -> Iterator["Database"]:
        """An empty database on the same server, gone afterwards."""
        name = f"scratch_{int(time.time())}_{uuid4().hex[:8]}"
        with self._server() as server:
            _clear_leftovers(server)
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield Database(named(self.url, name))
        finally:
            with self._server() as server:
                drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
                server.execute(drop.format(sql.Identifier(name)))

    def _prepare_fence(self) -> None:
        with self._connection() as connection:
            connection.execute("SELECT pg_advisory_xact_lock(hashtext('tradewind'))")
            connection.execute(FENCE.encode())

    @contextmanager
    def _server(self) -> Iterator["psycopg.Connection[Any]"]:
        with psycopg.connect(self.url, autocommit=True, connect_timeout=5) as connection:
            yield connection

    @contextmanager
    def _connection(self) -> Iterator["psycopg.Connection[dict[str, Any]]"]:
        try:
            opened = psycopg.connect(self.url, row_factory=dict_row, connect_timeout=5)
        except psycopg.OperationalError as error:
            raise Unavailable(f"the database does not answer: {error}") from error
        with opened as connection:
            yield connection


def _clear_leftovers(server: "psycopg.Connection[Any]") -> None:
    """Scratch databases whose maker died: older than any use of one takes."""
    rows = server.execute("SELECT datname FROM pg_database WHERE datname LIKE 'scratch\\_%'")
    for (name,) in rows.fetchall():
        if int(name.split("_")[1]) < time.time() - SCRATCH_SECONDS:
            drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
            server.execute(drop.format(sql.Identifier(name)))


def _limit(connection: "psycopg.Connection[dict[str, Any]]", limits: Migrations) -> None:
    timeouts = {
        "lock_timeout": f"{limits.lock_timeout_ms}ms",
        "statement_timeout": f"{limits.statement_timeout_seconds * 1000:.0f}ms",
    }
    for name, value in timeouts.items():
        connection.execute("SELECT set_config(%s, %s, true)", (name, value))


def named(url: str, database: str) -> str:
    """The address of another database on the same server."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"/{database}")).replace(":///", "://", 0)
