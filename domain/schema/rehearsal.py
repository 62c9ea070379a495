"""What a schema change did to a copy of the database, and what therefore speaks against it."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from domain.digest import digest_of
from domain.schema.locks import MODES, Lock, Wait
from domain.schema.migration import Statement
from domain.schema.settings import Migrations

BLOCKING = "SHARE"
"""From this lock on writers wait."""

CATALOGUE_SECONDS = 0.02
READ_BYTES_PER_SECOND = 10e9
"""Nobody reads a table faster: what took less than that never looked at its rows."""

WAYS_OUT = (
    (r"CREATE\s+(UNIQUE\s+)?INDEX\s+(?!CONCURRENTLY)", "CREATE INDEX CONCURRENTLY blocks nobody"),
    (r"^\s*(UPDATE|DELETE|INSERT|MERGE)\b", "do it in batches, in a revision of its own"),
    (r"FOREIGN KEY|REFERENCES|\bCHECK\b", "add it NOT VALID, then VALIDATE CONSTRAINT alone"),
    (r"SET NOT NULL", "validate a CHECK (... IS NOT NULL) first, which needs no exclusive lock"),
    (r"ADD\s+COLUMN|\bTYPE\b", "add a column without rewriting the table, fill it in batches"),
)


@dataclass(frozen=True)
class Measured:
    """One statement on the copy; ``growth_bytes`` is what the disk needs until it is over."""

    statement: Statement
    seconds: float
    rows: int = 0
    locks: tuple[Lock, ...] = ()
    waits: tuple[Wait, ...] = ()
    growth_bytes: int = 0

    @property
    def reader_wait_ms(self) -> float:
        return max((wait.reader_ms for wait in self.waits), default=0.0)

    @property
    def writer_wait_ms(self) -> float:
        return max((wait.writer_ms for wait in self.waits), default=0.0)


@dataclass(frozen=True)
class Smoked:
    """One smoke test; ``exit_code`` is None when it ran into its limit."""

    who: str
    exit_code: int | None
    seconds: float
    tail: str


@dataclass(frozen=True)
class Load:
    """What N-1 was asked beside the change; ``tail`` is the output of the first run that failed."""

    runs: int = 0
    failures: int = 0
    tail: str = ""


@dataclass(frozen=True)
class Rehearsal:
    """A whole rehearsal of the migration with the digest ``migration``.

    ``masked`` counts rows by mask, ``table_bytes`` is the size of the tables before it, by their
    names as the statements write them, and ``passed_over`` says what could not be tried, and why.
    """

    migration: str
    measured: tuple[Measured, ...]
    smoked: tuple[Smoked, ...]
    load: Load | None
    seconds: float
    masked: Mapping[str, int] = field(default_factory=dict)
    table_bytes: Mapping[str, int] = field(default_factory=dict)
    passed_over: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        return digest_of(to_record(self))


def to_record(rehearsal: Rehearsal) -> dict[str, Any]:
    """As JSON-ready values, as the ledger keeps it."""
    return asdict(rehearsal)


def from_record(record: Mapping[str, Any]) -> Rehearsal:
    """The inverse of ``to_record``, also after JSON."""
    return Rehearsal(
        **{
            **record,
            "measured": tuple(_measured(one) for one in record["measured"]),
            "smoked": tuple(Smoked(**one) for one in record["smoked"]),
            "load": Load(**record["load"]) if record["load"] else None,
            "passed_over": tuple(record["passed_over"]),
        }
    )


def _measured(record: Mapping[str, Any]) -> Measured:
    statement = record["statement"]
    return Measured(
        **{
            **record,
            "statement": Statement(**{**statement, "tables": tuple(statement["tables"])}),
            "locks": tuple(Lock(**lock) for lock in record["locks"]),
            "waits": tuple(Wait(**wait) for wait in record["waits"]),
        }
    )


def objections(rehearsal: Rehearsal, limits: Migrations) -> tuple[str, ...]:
    """What speaks against doing this to production; nothing does when it is empty."""
    waits = (
        text
        for one in rehearsal.measured
        for text in _too_long(one, limits.most_wait_ms) or _held_too_long(one, limits)
    )
    smoke = (_smoke_failed(one) for one in rehearsal.smoked if one.exit_code != 0)
    return (*waits, *smoke, *_load_failed(rehearsal.load))


def _too_long(measured: Measured, most_ms: float) -> tuple[str, ...]:
    sql = measured.statement.sql
    return tuple(
        f"{who} of {wait.table} waited {waited:,.0f} ms for `{shortened(sql)}`"
        f" against {most_ms:,.0f} ms: {_way_out(measured, waited)}"
        for wait in measured.waits
        for who, waited in (("readers", wait.reader_ms), ("writers", wait.writer_ms))
        if waited > most_ms
    )


def _held_too_long(measured: Measured, limits: Migrations) -> tuple[str, ...]:
    """In production others may queue behind it before it has its lock, until it gives up."""
    held_ms = measured.seconds * 1000
    worst_ms = held_ms + limits.lock_timeout_ms
    if worst_ms <= limits.most_wait_ms:
        return ()
    return tuple(
        f"`{shortened(measured.statement.sql)}` holds {lock.mode} on {lock.table} for"
        f" {held_ms:,.0f} ms, after up to {limits.lock_timeout_ms} ms in the queue for it:"
        f" {worst_ms:,.0f} ms against {limits.most_wait_ms:,.0f} ms: {_way_out(measured, held_ms)}"
        for lock in measured.locks
        if MODES.index(lock.mode) >= MODES.index(BLOCKING)
    )


def _way_out(measured: Measured, waited_ms: float) -> str:
    if measured.seconds * 1000 < waited_ms / 2:
        return "its lock stays until the transaction ends, put what follows into another revision"
    for pattern, way in WAYS_OUT:
        if re.search(pattern, measured.statement.sql, re.IGNORECASE):
            return way
    return "make it a revision of its own, in smaller steps"


def _smoke_failed(smoked: Smoked) -> str:
    how = "did not end" if smoked.exit_code is None else f"exit code {smoked.exit_code}"
    return (
        f"the smoke test of {smoked.who} failed: {how} after {smoked.seconds:.1f} s,"
        f" {last_line(smoked.tail) or 'without a word'}"
    )


def _load_failed(load: Load | None) -> tuple[str, ...]:
    if load is None or not load.failures:
        return ()
    said = last_line(load.tail) or "without a word"
    return (f"N-1's load failed beside the change, {load.failures} of {load.runs} runs: {said}",)


def estimate(
    measured: Measured, copy_bytes: Mapping[str, int], production_bytes: Mapping[str, int]
) -> float:
    """Seconds in production: the copy's, times how much bigger the tables are there.

    What is too quick to have read its tables only touched the catalogue, and stays.

    >>> column = Statement("1", "ALTER TABLE a ADD COLUMN note text", "expand", "", ("a",))
    >>> here, there = {"a": 5 * 10**9}, {"a": 10 * 10**9}
    >>> estimate(Measured(column, 0.004), here, there), estimate(Measured(column, 30), here, there)
    (0.004, 60.0)
    """
    here, there = (
        sum(sizes.get(table, 0) for table in measured.statement.tables)
        for sizes in (copy_bytes, production_bytes)
    )
    if measured.seconds < max(CATALOGUE_SECONDS, here / READ_BYTES_PER_SECOND):
        return measured.seconds
    return measured.seconds * there / here if here else measured.seconds


def shortened(sql: str, most: int = 80) -> str:
    """SQL on one line.

    >>> shortened("ALTER TABLE orders\\n  ADD COLUMN gift text;", 24)
    'ALTER TABLE orders ADD …'
    """
    line = " ".join(sql.split()).rstrip(";")
    return line if len(line) <= most else f"{line[: most - 1]}…"


def last_line(text: str, most: int = 300) -> str:
    """Where programs say what went wrong."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:most] if lines else ""
