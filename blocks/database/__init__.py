"""A shop's database: its own queries, sessions by name, and scratch databases beside it."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from domain.errors import Unavailable

SCRATCH_SECONDS = 6 * 3600.0
TABLES = """
SELECT 1 FROM pg_tables
 WHERE schemaname !~ '^pg_' AND schemaname NOT IN ('information_schema', 'tradewind') LIMIT 1
"""


class Database:
    """PostgreSQL, by libpq's address."""

    def __init__(self, url: str) -> None:
        self.url = url

    def build(self, text: str) -> None:
        """Runs SQL in one transaction without a fence: for a scratch database, without a rival."""
        with self._connection() as connection:
            connection.execute(text.encode())

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

    def is_empty(self) -> bool:
        """No table is in it but our own."""
        return not self.rows(TABLES, {})

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

    @contextmanager
    def session(self, name: str) -> Iterator["psycopg.Connection[tuple[Any, ...]]"]:
        """A connection that commits by itself, known to the server as ``name``.

        When its client is killed, the server lets its locks go within a second.
        """
        try:
            opened = psycopg.connect(
                self.url, autocommit=True, connect_timeout=5, application_name=name
            )
        except psycopg.OperationalError as error:
            raise Unavailable(f"the database does not answer: {error}") from error
        with opened as connection:
            connection.execute("SET client_connection_check_interval = '1s'")
            yield connection

    @contextmanager
    def _server(self) -> Iterator["psycopg.Connection[Any]"]:
        """Also where the shop may only read: a restore goes on then."""
        with psycopg.connect(
            self.url, autocommit=True, connect_timeout=5,
            options="-c default_transaction_read_only=off",
        ) as connection:  # fmt: skip
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


def named(url: str, database: str) -> str:
    """The address of another database on the same server."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"/{database}")).replace(":///", "://", 0)
