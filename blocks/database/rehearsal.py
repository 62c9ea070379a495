"""A schema change rehearsed on a copy of the database: measured, under load, then tried."""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise

from blocks.database import Database
from blocks.database.code import Code
from blocks.database.execution import Execution, no_code
from blocks.database.fence import Session
from blocks.database.masks import masked
from blocks.database.probes import Probes
from domain.errors import Failed, Refused
from domain.schema.locks import Lock, Wait, added, blamed
from domain.schema.migration import Migration, Revision, Statement, Unit
from domain.schema.rehearsal import Load, Measured, Rehearsal, Smoked
from domain.schema.settings import Migrations
from domain.schema.units import units

LOAD_SECONDS = 10.0
POLL_SECONDS = 0.05
TAIL_CHARACTERS = 4000
NAMES = """
SELECT c.oid::bigint, c.oid::regclass::text
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'm', 'v')
   AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'tradewind')
"""
LOCKS = """
SELECT relation::bigint, mode FROM pg_locks
 WHERE pid = pg_backend_pid() AND locktype = 'relation' AND granted
   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
SIZE = "SELECT pg_database_size(current_database())"
SIZES = """
SELECT t AS name, coalesce(
         (SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree(c.oid)),
         pg_total_relation_size(c.oid))::bigint AS bytes
  FROM unnest(%(tables)s::text[]) t JOIN pg_class c ON t IN (c.oid::regclass::text,
       c.relnamespace::regnamespace || '.' || quote_ident(c.relname))
 WHERE c.relkind IN ('r', 'p')
"""
OTHERS = """
SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
   AND backend_type = 'client backend'
"""


@dataclass(frozen=True)
class Rehearsing:
    """With what: limits, the epoch, the release's code, and N-1's, None when nothing serves yet.

    ``step`` runs a revision that is code, on the copy.
    """

    limits: Migrations
    epoch: int
    new: Code
    old: Code | None
    step: Callable[[Revision], None] = no_code


@dataclass(frozen=True)
class Seen:
    """One execution of a statement: ``locks`` are all that its transaction had after it."""

    statement: Statement
    seconds: float
    rows: int
    locks: frozenset[Lock]
    growth_bytes: int


def rehearsed(copy: Database, migration: Migration, plan: Rehearsing) -> Rehearsal:
    """Hides personal data, runs every unit beside N-1's load, then the smoke tests.

    Changes ``copy`` for good. Raises Refused when a mask or a unit does not work, since production
    was not touched; Unavailable when the database goes away.
    """
    began = time.monotonic()
    counts = masked(copy, plan.limits.masks)
    parts = units(migration)
    tables = sorted({table for unit in parts for one in unit.statements for table in one.tables})
    sizes = table_bytes(copy, tables)
    with _under_load(copy, plan.old) as load, Probes(copy.url, tables) as probes:
        measured = tuple(one for unit in parts for one in _measured(copy, unit, plan, probes))
    smoked = tuple(_smoked(copy.url, plan))
    seconds = time.monotonic() - began
    return Rehearsal(
        migration.digest, measured, smoked, load(), seconds, counts, sizes, _passed_over(plan)
    )


def table_bytes(database: Database, tables: Sequence[str]) -> dict[str, int]:
    """Bytes of each table with its indexes, those that exist, by the names given."""
    return {row["name"]: row["bytes"] for row in database.rows(SIZES, {"tables": list(tables)})}


@contextmanager
def _under_load(copy: Database, old: Code | None) -> Iterator[Callable[[], Load | None]]:
    """Goes on when the load has connected, so that it is there when the first unit runs."""
    loading = old.load(copy.url) if old else None
    if loading is None:
        yield lambda: None
        return
    with loading as load:
        deadline = time.monotonic() + LOAD_SECONDS
        while not (load().runs or copy.rows(OTHERS, {})) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        yield load


def _measured(copy: Database, unit: Unit, plan: Rehearsing, probes: Probes) -> tuple[Measured, ...]:
    """One for each statement, none for a unit that was done before the copy was taken.

    A wait belongs to the statement that took the strongest lock on the table, whenever in its unit
    it was, since locks stay until the end; to the only one when the unit is no transaction.
    """
    seen: list[Seen] = []
    with copy.session("rehearsal") as aside:
        watch = Watcher(dict(aside.execute(NAMES.encode()).fetchall()), _size(aside), seen)
    probes.take()
    try:
        applied = Execution(copy, plan.limits, plan.epoch, watch).apply(unit, plan.step)
    except Failed as error:
        raise Refused(f"on a copy of the database: {error}") from error
    waits = probes.take()
    if unit.way == "code" and applied.now:
        return (Measured(unit.statements[0], applied.seconds, waits=waits),)
    return _attributed(unit, _last(unit, seen), waits)


@dataclass
class Watcher:
    """Looks at locks and growth after each statement: ``names`` are the tables before the unit."""

    names: dict[int, str]
    size: int
    seen: list[Seen]

    def __call__(
        self, connection: Session, statement: Statement, seconds: float, rows: int
    ) -> None:
        before, self.size = self.size, _size(connection)
        locks = frozenset(
            Lock(self.names[table], _as_written(mode))
            for table, mode in connection.execute(LOCKS.encode()).fetchall()
            if table in self.names
        )
        self.seen.append(Seen(statement, seconds, rows, locks, self.size - before))


def _size(connection: Session) -> int:
    row = connection.execute(SIZE.encode()).fetchone()
    return int(row[0]) if row else 0


def _as_written(mode: str) -> str:
    """
    >>> _as_written("ShareRowExclusiveLock")
    'SHARE ROW EXCLUSIVE'
    """
    return " ".join(re.findall("[A-Z][a-z]+", mode.removesuffix("Lock"))).upper()


def _last(unit: Unit, seen: Sequence[Seen]) -> tuple[Seen, ...]:
    """What counts: all batches as one, else the last attempt, as those before were undone."""
    if unit.way != "batches" or not seen:
        return tuple(seen[-len(unit.statements) :])
    return (
        Seen(
            seen[0].statement,
            sum(one.seconds for one in seen),
            sum(one.rows for one in seen),
            frozenset[Lock]().union(*(one.locks for one in seen)),
            sum(one.growth_bytes for one in seen),
        ),
    )


def _attributed(unit: Unit, seen: Sequence[Seen], waits: Sequence[Wait]) -> tuple[Measured, ...]:
    held = [frozenset[Lock](), *(one.locks for one in seen)]
    taken = [added(before, after) for before, after in pairwise(held)]
    to = {wait: 0 if unit.way == "alone" else blamed(wait.table, taken) for wait in waits}
    return tuple(
        Measured(
            one.statement,
            one.seconds,
            one.rows,
            taken[number],
            tuple(wait for wait in waits if to[wait] == number),
            one.growth_bytes,
        )
        for number, one in enumerate(seen)
    )


def _smoked(url: str, plan: Rehearsing) -> Iterator[Smoked]:
    tried = (
        ("N-1 on the new schema", plan.old),
        ("N", plan.new),
        ("N-1 on rows that N wrote", plan.old),
    )
    for who, code in tried:
        ran = code.smoke(url) if code else None
        if ran:
            yield Smoked(who, ran.exit_code, ran.seconds, ran.tail[-TAIL_CHARACTERS:])


def _passed_over(plan: Rehearsing) -> tuple[str, ...]:
    missing = (
        (plan.old is None, "N-1: nothing served before"),
        (plan.limits.smoke is None, "smoke tests: migrations.smoke names no command"),
        (plan.limits.load is None, "N-1's load: migrations.load names no command"),
    )
    return tuple(text for is_so, text in missing if is_so)
