"""How long readers and writers of tables wait, measured by readers and writers of our own."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from types import TracebackType
from typing import Any, Literal, Self

import psycopg
from psycopg import sql

from domain.errors import Unavailable
from domain.schema.locks import Wait

INTERVAL_SECONDS = 0.01
END_SECONDS = 5.0
Connection = psycopg.Connection[tuple[Any, ...]]
Mode = Literal["ACCESS SHARE", "ROW EXCLUSIVE"]


class Probes:
    """A reader and a writer of each table, every 10 ms, on connections of their own, while open.

    ``tables`` as statements write them; one that does not exist is passed over, since nobody can
    wait for it. Raises Unavailable when the database does not answer.
    """

    def __init__(self, url: str, tables: Sequence[str]) -> None:
        self._url = url
        self._tables = tables
        self._probes: dict[str, tuple[_Probe, _Probe]] = {}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            try:
                with psycopg.connect(self._url, connect_timeout=5) as connection:
                    found = _existing(connection, self._tables)
                for name, place in found.items():
                    self._probes[name] = (
                        stack.enter_context(self._probe(place, "ACCESS SHARE")),
                        stack.enter_context(self._probe(place, "ROW EXCLUSIVE")),
                    )
            except psycopg.Error as error:
                raise Unavailable(f"the copy does not answer probes: {error}") from error
            self._open = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._open.close()

    def take(self) -> tuple[Wait, ...]:
        """The worst wait for each table since this was asked last.

        One that goes on counts with what it waited so far, and from now on again.
        """
        return tuple(
            Wait(name, reader.take() * 1000, writer.take() * 1000)
            for name, (reader, writer) in self._probes.items()
        )

    @contextmanager
    def _probe(self, place: sql.Identifier, mode: Mode) -> Iterator["_Probe"]:
        with psycopg.connect(self._url, autocommit=True, connect_timeout=5) as connection:
            probe = _Probe(connection, _asking(place, mode))
            probe.start()
            try:
                yield probe
            finally:
                probe.end()


class _Probe(threading.Thread):
    """Asks the same again and again until its table is gone or it is ended."""

    def __init__(self, connection: Connection, query: sql.Composed) -> None:
        super().__init__(daemon=True)
        self._connection = connection
        self._query = query
        self._over = threading.Event()
        self._guard = threading.Lock()
        self._begun: float | None = None
        self._mark = time.monotonic()
        self._worst = 0.0
        self._error: psycopg.Error | None = None

    def run(self) -> None:
        while not self._over.is_set():
            try:
                self._ask()
            except psycopg.errors.UndefinedTable:
                return  # dropped or renamed: nobody can wait for it any more
            except psycopg.Error as error:
                self._error = error
                return
            self._over.wait(INTERVAL_SECONDS)

    def take(self) -> float:
        """Seconds of the worst wait since it was asked last."""
        if self._error and not self._over.is_set():
            raise Unavailable(f"a probe ended, so waits are not known: {self._error}")
        with self._guard:
            self._count()
            worst, self._worst, self._mark = self._worst, 0.0, time.monotonic()
        return worst

    def end(self) -> None:
        self._over.set()
        deadline = time.monotonic() + END_SECONDS
        while self.is_alive() and time.monotonic() < deadline:
            with suppress(psycopg.Error):
                self._connection.cancel_safe(timeout=END_SECONDS)
            self.join(INTERVAL_SECONDS)

    def _ask(self) -> None:
        with self._guard:
            self._begun = time.monotonic()
        try:
            self._connection.execute(self._query)
        finally:
            with self._guard:
                self._count()
                self._begun = None

    def _count(self) -> None:
        if self._begun is not None:
            waited = time.monotonic() - max(self._begun, self._mark)
            self._worst = max(self._worst, waited)


def _existing(connection: Connection, tables: Sequence[str]) -> dict[str, sql.Identifier]:
    """Those that are tables, by their name as PostgreSQL writes it."""
    rows = connection.execute(
        "SELECT c.oid::regclass::text, n.nspname, c.relname FROM pg_class c"
        " JOIN pg_namespace n ON n.oid = c.relnamespace"
        " JOIN unnest(%s::text[]) t ON t IN (c.oid::regclass::text,"
        "   quote_ident(n.nspname) || '.' || quote_ident(c.relname))"
        " WHERE c.relkind IN ('r', 'p') ORDER BY 1",
        [list(tables)],
    )
    return {name: sql.Identifier(schema, table) for name, schema, table in rows.fetchall()}


def _asking(place: sql.Identifier, mode: Mode) -> sql.Composed:
    """Takes the table's lock; a reader also reads a row, which takes the indexes' locks, too.

    It reads by ctid, since the first row of a table may stand behind millions of dead ones.
    """
    lock = sql.SQL("LOCK TABLE {} IN {} MODE").format(place, sql.SQL(mode))
    read = sql.SQL("SELECT * FROM {} WHERE ctid = '(0,1)'").format(place)
    steps = [lock] if mode == "ROW EXCLUSIVE" else [lock, read]
    return sql.SQL("BEGIN; {}; COMMIT").format(sql.SQL("; ").join(steps))
