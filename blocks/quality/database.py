"""Where comparisons are made: connections to the ledger, and a schema of its own for each look."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import psycopg
from psycopg import sql
from psycopg.rows import DictRow, dict_row

from domain.errors import Unavailable

LEFTOVER_SECONDS = 6 * 3600.0
SESSION = {
    "timezone": "UTC",
    "work_mem": "64MB",
    "jit": "off",
    "synchronous_commit": "off",
    "client_min_messages": "warning",
}
"""Hashes of a million rows fit into memory (twice ``work_mem``); what is lost can be made again."""

WHOLE = {"enable_mergejoin": "off", "enable_nestloop": "off"}
"""Tables of a comparison are joined whole: by hashes, which need no sorted text."""

Values = Mapping[str, object]


@dataclass(frozen=True)
class Ledger:
    """The ledger's database, a connection for each use; Unavailable when it does not answer."""

    url: str

    @contextmanager
    def connection(self, **settings: str) -> Iterator[psycopg.Connection[DictRow]]:
        """One transaction. Values are put into the text: a new table takes no parameters."""
        options = " ".join(f"-c {name}={value}" for name, value in {**SESSION, **settings}.items())
        try:
            with psycopg.connect(
                self.url, row_factory=dict_row, options=options, connect_timeout=5,
                cursor_factory=psycopg.ClientCursor,
            ) as connection:  # fmt: skip
                yield connection
        except psycopg.OperationalError as error:
            raise Unavailable(f"the comparison's database does not answer: {error}") from error

    def rows(self, query: str, values: Values) -> list[dict[str, Any]]:
        with self.connection() as connection:
            return connection.execute(query.encode(), values).fetchall()

    def stream(self, query: str, values: Values) -> Iterator[dict[str, Any]]:
        """Row by row, so that memory does not grow with their number."""
        with self.connection() as connection, connection.cursor("rows") as cursor:
            cursor.itersize = 2000
            yield from cursor.execute(query.encode(), values)


@dataclass(frozen=True)
class Schema:
    """Unlogged tables of one comparison, first in the search path; ours alone."""

    ledger: Ledger
    name: str = ""

    @contextmanager
    def opened(self) -> Iterator["Schema"]:
        """A schema by a new name, dropped in the end; those of dead makers go first."""
        made = Schema(self.ledger, f"recon_{int(time.time())}_{uuid4().hex[:8]}")
        self._clear_leftovers()
        with self.ledger.connection() as connection:
            connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(made.name)))
        try:
            yield made
        finally:
            self._drop(made.name)

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection[DictRow]]:
        path = f"{self.name},public"
        with self.ledger.connection(search_path=path, **WHOLE) as connection:
            yield connection

    def _clear_leftovers(self) -> None:
        """Older than any look takes."""
        found = self.ledger.rows(
            "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'recon\\_%%'", {}
        )
        for row in found:
            if int(row["nspname"].split("_")[1]) < time.time() - LEFTOVER_SECONDS:
                self._drop(row["nspname"])

    def _drop(self, name: str) -> None:
        with self.ledger.connection() as connection:
            connection.execute(
                sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(name))
            )
