"""An executor of a small migration that dies by kill -9 at places it was not at before."""

import os
import signal
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psycopg

from blocks.database import Database
from blocks.database.execution import Execution
from domain.schema.migration import Revision, Statement, Unit, Way
from domain.schema.settings import Batches, Migrations

LIMITS = Migrations(
    "migrations", "web", lock_timeout_ms=500, attempts=40, batches=Batches(rows=2000)
)
BEGINNING = """
CREATE TABLE stock (sku int PRIMARY KEY, quantity int, old text, touched int DEFAULT 0);
INSERT INTO stock SELECT n, n % 7, 'old', 0 FROM generate_series(1, 20000) n;
CREATE TABLE version (name text);
INSERT INTO version VALUES ('0001');
CREATE TABLE ledger_of_tests (unit text);
ANALYZE stock;
"""
FILL = "UPDATE stock SET place = 'here', touched = touched + 1 WHERE place IS NULL"
INDEX = "CREATE UNIQUE INDEX CONCURRENTLY stock_place ON stock (quantity, sku)"


def noted(unit: str) -> str:
    return f"INSERT INTO ledger_of_tests VALUES ('{unit}')"


def migration(nap_seconds: float) -> tuple[Unit, ...]:
    """Six units of two revisions; ``nap_seconds`` is how long some statements take."""
    nap = f"SELECT pg_sleep({nap_seconds})"
    second, third = Revision("0002", "0001", "0002", ""), Revision("0003", "0002", "0003", "")
    pieces: tuple[tuple[Revision, Way, tuple[str, ...]], ...] = (
        (second, "transaction", ("ALTER TABLE stock ADD COLUMN place text", nap, noted("ddl"))),
        (second, "alone", (INDEX,)),
        (second, "batches", (FILL,)),
        (second, "code", ("",)),
        (second, "transaction", (noted("end"), nap, "UPDATE version SET name = '0002'")),
        (third, "transaction", ("ALTER TABLE stock DROP COLUMN old", nap, noted("contract"),
                                "UPDATE version SET name = '0003'")),
    )  # fmt: skip
    return tuple(
        Unit(revision, number if revision is second else 1, way,
             tuple(Statement(revision.name, text, "expand", "", ("stock",)) for text in texts),
             last=number >= 5)
        for number, (revision, way, texts) in enumerate(pieces, start=1)
    )  # fmt: skip


def execute(url: str, epoch: int, seen: str, nap_seconds: float) -> None:
    """What a worker does: claim, read the migrator's state, apply what is left.

    Dies wherever ``seen`` does not say that one died before; "" for an immortal.
    """
    deaths = Deaths(Path(seen)) if seen else None
    execution = Execution(Database(url), LIMITS, epoch)
    execution.claim()
    state = str(Database(url).rows("SELECT name FROM version", {})[0]["name"])
    for unit in migration(nap_seconds):
        if unit.revision.after > state:
            if deaths:
                deaths.unit = unit
            execution.apply(unit, lambda _: code(url))


def code(url: str) -> None:
    """As a migrator does it: its own change and its own record of it in one transaction."""
    there = "SELECT 1 FROM ledger_of_tests WHERE unit = 'code'"
    note = f"INSERT INTO ledger_of_tests SELECT 'code' WHERE NOT EXISTS ({there})"
    Database(url).build(note)


class Deaths:
    """Stands before every statement and every end of a transaction of this process.

    So also after each, as nothing that outlives the process happens between two of them.
    """

    def __init__(self, seen: Path) -> None:
        self.unit: Unit | None = None
        self._file = seen.open("a")
        self._seen = set(seen.read_text().splitlines())
        self._passed: Counter[str] = Counter()
        self._range = ""
        self._stand_before(psycopg.Connection, "execute")
        self._stand_before(psycopg.Transaction, "__exit__")

    def _stand_before(self, kind: type, name: str) -> None:
        real: Callable[..., Any] = getattr(kind, name)

        def before(this: Any, *arguments: Any, **named: Any) -> Any:
            self._die_at(self._place(name, arguments))
            return real(this, *arguments, **named)

        setattr(kind, name, before)

    def _place(self, name: str, arguments: tuple[Any, ...]) -> str:
        """The same in each life: no epochs or process ids, but how often, or which batch."""
        text = " ".join(str(arguments[0]).split())[:60] if name == "execute" else "end"
        values = arguments[1] if name == "execute" and len(arguments) > 1 else None
        if isinstance(values, Mapping) and "low" in values:
            self._range = str(values["low"])
        unit = self.unit.name if self.unit else "claim"
        if self.unit and self.unit.way == "batches":
            changes = text == "end" or "UPDATE stock" in text
            return f"{unit} {text} {self._range if changes else ''}"
        place = f"{unit} {text}"
        self._passed[place] += 1
        return f"{place} {self._passed[place]}"

    def _die_at(self, place: str) -> None:
        if place in self._seen:
            return
        self._file.write(f"{place}\n")
        self._file.flush()
        os.kill(os.getpid(), signal.SIGKILL)
