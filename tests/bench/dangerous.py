"""Dangerous schema changes of a large table: how long the shop waits, plainly and by Tradewind."""

import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from rich.console import Console

from blocks.database import Database, named
from blocks.database.execution import Execution
from deployments.stack.postgres import Postgres
from domain.schema.migration import Migration, Revision, Statement
from domain.schema.settings import Migrations
from domain.schema.units import units
from tests.bench.results import WIDTH, Result

LIMITS = Migrations("migrations", "web", attempts=200, statement_timeout_seconds=3600)
LONG_READ = "SELECT pg_sleep(3) FROM stock LIMIT 1"
READ = "SELECT price FROM stock WHERE id = 1 + %(n)s %% 1000"
WRITE = "UPDATE stock SET price = price + 1 WHERE id = 1 + %(n)s %% 1000"
EVERY_SECONDS = 0.01
WARM_QUERIES = 20
WAIT_SECONDS = 30
BLOCKING = ("ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock")
"""A reader or a writer waits for these."""
TABLES = """
CREATE TABLE shop (id int PRIMARY KEY);
INSERT INTO shop SELECT n FROM generate_series(0, 99) n;
CREATE TABLE stock (
    id bigint PRIMARY KEY, shop int, code bigint, quantity int, price int, place text, old text
);
INSERT INTO stock SELECT n, n % 100, n, n % 7, 100, NULL, 'old' FROM generate_series(1, {rows}) n;
ANALYZE stock;
"""
COLUMNS = (
    "change, behind a read of 3 s", "plainly: worst read / write, ms",
    "by Tradewind, as written", "by Tradewind, the way it asks for",
)  # fmt: skip


@dataclass(frozen=True)
class Change:
    """As people write it, and in the steps that block nobody; each step is a revision."""

    name: str
    plain: str
    steps: tuple[str, ...] = ()


ALTER = "ALTER TABLE stock"
FILL = "UPDATE stock SET {0} = {1} WHERE {0} IS NULL"
CHANGES = (
    Change("add a column with a volatile default",
           f"{ALTER} ADD COLUMN token uuid DEFAULT gen_random_uuid()",
           (f"{ALTER} ADD COLUMN token uuid", f"{ALTER} ALTER token SET DEFAULT gen_random_uuid()",
            FILL.format("token", "gen_random_uuid()"))),
    Change("change a column's type", f"{ALTER} ALTER quantity TYPE bigint",
           (f"{ALTER} ADD COLUMN wide bigint", FILL.format("wide", "quantity"))),
    Change("add a column that is NOT NULL", f"{ALTER} ADD COLUMN n int NOT NULL DEFAULT 0"),
    Change("add a foreign key", f"{ALTER} ADD CONSTRAINT k FOREIGN KEY (shop) REFERENCES shop",
           (f"{ALTER} ADD CONSTRAINT k FOREIGN KEY (shop) REFERENCES shop NOT VALID",
            f"{ALTER} VALIDATE CONSTRAINT k")),
    Change("add a unique constraint", f"{ALTER} ADD CONSTRAINT u UNIQUE (code)",
           ("CREATE UNIQUE INDEX CONCURRENTLY u ON stock (code)",
            f"{ALTER} ADD CONSTRAINT u UNIQUE USING INDEX u")),
    Change("create an index", "CREATE INDEX i ON stock (shop, quantity)",
           ("CREATE INDEX CONCURRENTLY i ON stock (shop, quantity)",)),
    Change("add a check", f"{ALTER} ADD CONSTRAINT c CHECK (quantity >= 0)",
           (f"{ALTER} ADD CONSTRAINT c CHECK (quantity >= 0) NOT VALID",
            f"{ALTER} VALIDATE CONSTRAINT c")),
    Change("set a column NOT NULL", f"{ALTER} ALTER quantity SET NOT NULL",
           (f"{ALTER} ADD CONSTRAINT c CHECK (quantity IS NOT NULL) NOT VALID",
            f"{ALTER} VALIDATE CONSTRAINT c", f"{ALTER} ALTER quantity SET NOT NULL")),
    Change("update every row", FILL.format("place", "'here'")),
    Change("drop a column", f"{ALTER} DROP COLUMN old"),
)  # fmt: skip


@dataclass
class Waits:
    """The longest wait of a reader and of a writer, in ms."""

    reads: list[float] = field(default_factory=list)
    writes: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{max(self.reads):,.0f} / {max(self.writes):,.0f}"


@dataclass(frozen=True)
class Bench:
    """A server with the table as a template, copied for every measure."""

    server: Postgres

    @contextmanager
    def copy(self) -> Iterator[Database]:
        with psycopg.connect(self.server.url("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE copy TEMPLATE base STRATEGY file_copy")
            yield Database(named(self.server.url("postgres"), "copy"))
            connection.execute("DROP DATABASE copy WITH (FORCE)")

    def plainly(self, change: Change) -> Waits:
        with self.copy() as database, traffic(database.url) as waits:
            once(database.url, change.plain)
        return waits

    def by_tradewind(self, texts: tuple[str, ...]) -> str:
        """The waits, or why a rehearsal on a copy without traffic refuses it."""
        with self.copy() as database:
            blocked_ms = rehearsed(database, texts)
        if blocked_ms and blocked_ms + LIMITS.lock_timeout_ms > LIMITS.most_wait_ms:
            return f"refused: would block {blocked_ms:,.0f} ms"
        with self.copy() as database, traffic(database.url) as waits:
            executed(Execution(database, LIMITS, 1), texts)
        return str(waits)


def dangerous(rows: int) -> Result:
    """Every change plainly, as written, and in steps."""
    with tempfile.TemporaryDirectory(prefix="tradewind-bench-") as folder:
        Path(folder).chmod(0o711)  # as root the server runs as another user
        server = Postgres(Path(folder) / "data")
        server.start()
        server.create("base")
        Database(server.url("base")).build(TABLES.format(rows=rows))
        bench = Bench(server)
        found = tuple(measured(bench, change) for change in CHANGES)
        server.stop()
    raw = {"rows": rows, "measured": [dict(zip(COLUMNS, one, strict=True)) for one in found]}
    return Result(f"Dangerous changes of {rows:,} rows", COLUMNS, found, raw)


def measured(bench: Bench, change: Change) -> tuple[str, ...]:
    steps = bench.by_tradewind(change.steps) if change.steps else "–"
    plain = str(bench.plainly(change))
    return change.name, plain, bench.by_tradewind((change.plain,)), steps


def executed(execution: Execution, texts: tuple[str, ...]) -> None:
    """Each text as a revision, as a migrator would hand them over."""
    revisions = tuple(
        Revision(f"{number:04}", f"{number - 1:04}", f"{number:04}", f"{text};")
        for number, text in enumerate(texts, start=1)
    )
    for unit in units(Migration("0000", revisions[-1].after, revisions)):
        execution.apply(unit)


def rehearsed(database: Database, texts: tuple[str, ...]) -> float:
    """How long, in ms, the slowest statement holds a lock that readers or writers wait for."""
    slowest = [0.0]

    def watch(connection: Any, statement: Statement, seconds: float, rows: int) -> None:
        held = connection.execute(
            "SELECT 1 FROM pg_locks WHERE pid = pg_backend_pid() AND relation = 'stock'::regclass"
            " AND mode = ANY(%s)", [list(BLOCKING)],
        ).fetchone()  # fmt: skip
        slowest[0] = max(slowest[0], seconds * 1000 if held else 0)

    executed(Execution(database, LIMITS, 1, watch), texts)
    return slowest[0]


@contextmanager
def traffic(url: str) -> Iterator[Waits]:
    """A reader and a writer every 10 ms, and behind a read that goes on for a while."""
    waits, over = Waits(), threading.Event()
    with ThreadPoolExecutor(3) as people:
        try:
            asked = [
                people.submit(customer, url, READ, waits.reads, over),
                people.submit(customer, url, WRITE, waits.writes, over),
            ]
            until(lambda: min(len(waits.reads), len(waits.writes)) >= WARM_QUERIES)
            waits.reads.clear()
            waits.writes.clear()
            asked.append(people.submit(once, url, LONG_READ))
            until(lambda: is_reading(url))
            yield waits
        finally:
            over.set()
        for one in asked:
            one.result()


def customer(url: str, query: str, waits: list[float], over: threading.Event) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        number = 0
        while not over.wait(EVERY_SECONDS):
            number += 1
            began = time.monotonic()
            connection.execute(query.encode(), {"n": number})
            waits.append((time.monotonic() - began) * 1000)


def once(url: str, query: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(query.encode())


def is_reading(url: str) -> bool:
    with psycopg.connect(url) as connection:
        query = "SELECT 1 FROM pg_stat_activity WHERE query = %s AND wait_event = 'PgSleep'"
        return connection.execute(query, [LONG_READ]).fetchone() is not None


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < end, f"not within {WAIT_SECONDS} s"
        time.sleep(EVERY_SECONDS)


if __name__ == "__main__":
    Console(width=WIDTH).print(dangerous(int(sys.argv[1])).shown())
