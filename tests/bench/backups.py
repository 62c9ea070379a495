"""A backup that is proven beside ``pg_dump`` and ``pg_restore`` alone, on the same database."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from blocks.database import Database
from blocks.database.backup import Backup, proven, taken
from deployments.stack.postgres import Postgres
from domain.schema.settings import Backups
from tests.bench.results import Result, ratios, spread

ROUNDS, JOBS = 3, 2
GIGA = 1_000_000_000
TABLES, ROWS = 4, 500_000
"""About 300 MB, of texts that compress as those of a shop do."""
FILL = """
CREATE TABLE line_{number} AS
SELECT n AS id, 'SKU-' || md5(n::text) AS sku, n % 97 AS quantity, now() AS at,
       'line ' || md5((n * 7)::text) AS note
FROM generate_series(1, {rows}) n;
ALTER TABLE line_{number} ADD PRIMARY KEY (id);
"""
INVARIANTS = {"no negative quantity": "SELECT id FROM line_1 WHERE quantity < 0"}
TIMES, SIZES = ("pg_dump", "taken", "pg_restore", "proven"), ("ours", "plain")
COLUMNS = ("for each GB of the database", "Tradewind", "pg_dump, pg_restore", "ratio")
LIMIT_SECONDS = 600


def backups() -> Result:
    """Each in turn, ``ROUNDS`` times; Tradewind compresses less than ``pg_dump`` does unasked."""
    with filled() as (server, database, folder):
        size = database.rows("SELECT pg_database_size(current_database()) AS size", {})[0]["size"]
        rounds = [measured(server, database, folder) for _ in range(ROUNDS)]
    found = {what: [one[what] * GIGA / size for one in rounds] for what in TIMES}
    written = {what: [one[what] / size for one in rounds] for what in SIZES}
    rows = (
        row("taken, and its contents counted, s", found["taken"], found["pg_dump"]),
        row("proven, s", found["proven"], found["pg_restore"]),
        row("both, s", *both(found)),
        row("files, GB", written["ours"], written["plain"]),
    )
    title = f"Backups of a database of {size / 1_000_000:.0f} MB"
    return Result(title, COLUMNS, rows, {"s a GB": found, "GB a GB": written, "bytes": size})


def row(what: str, ours: list[float], plain: list[float]) -> tuple[str, ...]:
    return what, spread(ours), spread(plain), spread(ratios(ours, plain))


def both(found: dict[str, list[float]]) -> tuple[list[float], list[float]]:
    return (
        [sum(pair) for pair in zip(found["taken"], found["proven"], strict=True)],
        [sum(pair) for pair in zip(found["pg_dump"], found["pg_restore"], strict=True)],
    )


@contextmanager
def filled() -> Iterator[tuple[Postgres, Database, Path]]:
    """A server of its own with the database, and a folder for backups."""
    with tempfile.TemporaryDirectory(prefix="tradewind-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # as root the server runs as another user
        server = Postgres(folder / "data")
        server.start()
        try:
            server.create("shop")
            with psycopg.connect(server.url("shop"), autocommit=True) as connection:
                for number in range(1, TABLES + 1):
                    connection.execute(FILL.format(number=number, rows=ROWS).encode())
            yield server, Database(server.url("shop")), folder
        finally:
            server.stop()


def measured(server: Postgres, database: Database, folder: Path) -> dict[str, float]:
    """Seconds of each, and bytes written; what is made is gone afterwards, outside the time."""
    settings, ours, plain = Backups(jobs=JOBS), folder / "ours", folder / "plain"
    made: list[Backup] = []
    seconds = {
        "pg_dump": timed(server, lambda: said("pg_dump", "-Fd", "-f", str(plain), database.url)),
        "taken": timed(server, lambda: made.append(taken(database, ours, settings, ""))),
        "pg_restore": restored_plainly(server, plain),
        "proven": timed(server, lambda: proven(database, made[0], settings, "", INVARIANTS)),
    }
    sizes = {"ours": made[0].size, "plain": sum(path.stat().st_size for path in plain.iterdir())}
    for path in (ours, plain):
        shutil.rmtree(path)
    return {**seconds, **sizes}


def restored_plainly(server: Postgres, dump: Path) -> float:
    server.create("restored")
    seconds = timed(server, lambda: said("pg_restore", "-d", server.url("restored"), str(dump)))
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute("DROP DATABASE restored WITH (FORCE)")
    return seconds


def timed(server: Postgres, act: Callable[[], object]) -> float:
    """From a server that has written everything, so that nobody pays for what came before."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute("CHECKPOINT")
    before = time.monotonic()
    act()
    return time.monotonic() - before


def said(program: str, *arguments: str) -> None:
    """Of the embedded PostgreSQL: starting its server put its programs first."""
    subprocess.run([program, f"-j{JOBS}", *arguments], check=True, timeout=LIMIT_SECONDS)
