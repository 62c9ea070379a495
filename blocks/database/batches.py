"""A backfill in short transactions by ranges of blocks: it yields to others, and goes on anew."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from blocks.database.alone import BUILD_SECONDS
from blocks.database.fence import Fence, Session
from blocks.database.locks import PAUSE_SECONDS, Patience, explained
from domain.errors import Failed, Unavailable
from domain.schema.migration import Unit
from domain.schema.units import batched

PATIENCE_SECONDS = 600.0
ROUNDS = 5
ROWS_A_BLOCK = 200
"""Where nothing is known of the table: small to begin with, as it doubles soon."""
MOST_GROWTH = 16
LAG = "SELECT coalesce(max(extract(epoch FROM replay_lag)), 0) FROM pg_stat_replication"
WAITING = """
SELECT count(*) FROM pg_stat_activity
 WHERE datname = current_database() AND wait_event_type = 'Lock'
   AND application_name NOT LIKE 'tradewind epoch %'
"""
BLOCKS = """
SELECT greatest(pg_relation_size(%(table)s::regclass), max(pg_relation_size(relid)), 0)
       / current_setting('block_size')::bigint
  FROM pg_partition_tree(%(table)s::regclass)
"""
DENSITY = "SELECT reltuples / relpages FROM pg_class WHERE oid = to_regclass(%s) AND relpages > 0"


@dataclass(frozen=True)
class Progress:
    """Blocks done of all, rows changed, seconds left (0 when unknown), and what it waits for."""

    unit: str
    blocks: int
    total_blocks: int
    rows: int
    seconds_left: float
    waits_for: str = ""


@dataclass(frozen=True)
class Pace:
    """Who watches a backfill, and whether a person has paused it."""

    progress: Callable[[Progress], None] = lambda _: None
    paused: Callable[[], bool] = lambda: False


@dataclass(frozen=True)
class Position:
    """How far a backfill is, as the database keeps it."""

    next_block: int
    total_blocks: int
    rows: int

    @property
    def over(self) -> bool:
        return self.next_block >= self.total_blocks


Run = Callable[[Session, str, Mapping[str, object] | None], int]
"""Executes the unit's statement, or its version by ranges with ``low`` and ``high``."""


class Backfill:
    """One unit of one UPDATE whose condition is false once it has run; one use."""

    def __init__(self, fence: Fence, unit: Unit, run: Run, pace: Pace, patience: Patience) -> None:
        self._fence, self._unit, self._run, self._pace = fence, unit, run, pace
        self._patience = patience
        (self._statement,) = unit.statements
        self._table = self._statement.tables[0]
        self._batched = batched(self._statement.sql)
        self._began = time.monotonic()
        self._first_block: int | None = None
        self._extensions = 0

    def __call__(self) -> int | None:
        """Rows changed since the backfill began, or None when it was done before.

        Raises Failed when rows still match after some rounds, or when one block takes too long;
        Unavailable when replicas or others kept it waiting too long.
        """
        with explained(self._unit, self._fence.limits), self._fence.session() as connection:
            self._blocks = self._estimated(connection)
            self._most_blocks = MOST_GROWTH * self._blocks
            for _ in range(ROUNDS):
                position = self._passed(connection)
                if position is None:
                    return None
                left = self._left(connection)
                if not left:
                    return position.rows if left == 0 else None
                self._again(connection)
        raise Failed(
            f"backfill {self._unit.name}: {left} rows still match after {ROUNDS} rounds,"
            f" something writes {self._table} without the value"
        )

    def _passed(self, connection: Session) -> Position | None:
        """Batch by batch to the end of the table."""
        while True:
            position = self._batch_in_time(connection)
            if position is None:
                return None
            if position.over:
                self._say(position, "")
                return position
            self._yielded(connection, position)

    def _batch_in_time(self, connection: Session) -> Position | None:
        """One batch; one that takes too long is tried again with half the blocks."""
        while True:
            try:
                return self._patience.over(lambda: self._batch(connection))
            except psycopg.errors.QueryCanceled:
                if self._blocks == 1:
                    raise
                self._blocks = self._most_blocks = self._blocks // 2

    def _batch(self, connection: Session) -> Position | None:
        """The next range of blocks and the position after it, in one transaction."""
        with self._fence.behind(connection, self._unit) as to_do:
            if not to_do:
                return None
            before = self._position(connection)
            if before.over:
                return before
            high = before.next_block + self._blocks
            ends = {"low": f"({before.next_block},0)", "high": f"({high},0)"}
            rows = self._run(connection, self._batched, ends)
            total = before.total_blocks
            if high >= total and self._extensions < ROUNDS:  # what it grew by meanwhile
                self._extensions += 1
                total = self._size(connection)
            after = Position(min(high, total), total, before.rows + rows)
            self._keep(connection, after)
        self._resize(rows)
        return after

    def _position(self, connection: Session) -> Position:
        query = "SELECT next_block, total_blocks, rows FROM tradewind.backfill WHERE key = %s"
        row = connection.execute(query, [self._unit.name]).fetchone()
        position = Position(*row) if row else Position(0, self._size(connection), 0)
        if self._first_block is None:
            self._first_block = position.next_block
        return position

    def _keep(self, connection: Session, position: Position) -> None:
        connection.execute(
            "INSERT INTO tradewind.backfill VALUES (%(key)s, %(next)s, %(total)s, %(rows)s)"
            " ON CONFLICT (key) DO UPDATE"
            " SET next_block = %(next)s, total_blocks = %(total)s, rows = %(rows)s",
            {"key": self._unit.name, "next": position.next_block,
             "total": position.total_blocks, "rows": position.rows},
        )  # fmt: skip

    def _left(self, connection: Session) -> int | None:
        """How many rows the whole statement would still change; with 0 the unit is done.

        None when a rival has done it.
        """

        def once() -> int | None:
            with self._fence.behind(connection, self._unit) as to_do:
                if not to_do:
                    return None
                _longer(connection)
                with connection.transaction() as asserted:
                    left = self._run(connection, self._statement.sql, None)
                    if left:
                        raise psycopg.Rollback(asserted)
                if not left:
                    self._fence.record(connection, self._unit)
                return left

        return self._patience.over(once)

    def _again(self, connection: Session) -> None:
        """From the first block on, for rows that came in behind it."""
        self._extensions = 0

        def once() -> None:
            with self._fence.behind(connection, self._unit) as to_do:
                if to_do:
                    rows = self._position(connection).rows
                    self._keep(connection, Position(0, self._size(connection), rows))

        self._patience.over(once)

    def _resize(self, rows: int) -> None:
        """Towards the rows wanted, at most twice the blocks at once, and bounded altogether."""
        wanted = round(self._blocks * self._fence.limits.batches.rows / max(rows, 1))
        self._blocks = max(1, min(wanted, 2 * self._blocks, self._most_blocks))

    def _yielded(self, connection: Session, position: Position) -> None:
        """Says how far it is, and waits while somebody else needs the database more."""
        began = time.monotonic()
        self._say(position, "")
        while reason := self._reason(connection):
            self._say(position, reason)
            waited = time.monotonic() - began
            if not self._pace.paused() and waited > PATIENCE_SECONDS:
                raise Unavailable(
                    f"backfill {self._unit.name} waited {waited:.0f} s for {reason},"
                    f" limit {PATIENCE_SECONDS:.0f} s; it goes on at block {position.next_block}"
                )
            time.sleep(PAUSE_SECONDS)

    def _reason(self, connection: Session) -> str:
        limits = self._fence.limits.batches
        if self._pace.paused():
            return "a person to end the pause"
        lag, waiting = (_number(connection, query) for query in (LAG, WAITING))
        if lag > limits.most_lag_seconds:
            return f"replicas {lag:.1f} s behind, limit {limits.most_lag_seconds:g} s"
        if waiting > limits.most_waiting:
            return f"{waiting:.0f} sessions that wait for locks, limit {limits.most_waiting}"
        return ""

    def _say(self, position: Position, reason: str) -> None:
        done = position.next_block - (self._first_block or 0)
        spent = time.monotonic() - self._began
        left = (position.total_blocks - position.next_block) * spent / done if done > 0 else 0.0
        self._pace.progress(
            Progress(self._unit.name, position.next_block, position.total_blocks,
                     position.rows, left, reason)
        )  # fmt: skip

    def _size(self, connection: Session) -> int:
        """Blocks of the table; of its largest partition, as a range is one of each of them."""
        row = connection.execute(BLOCKS, {"table": self._table}).fetchone()
        return int(row[0]) if row else 0

    def _estimated(self, connection: Session) -> int:
        row = connection.execute(DENSITY, [self._table]).fetchone()
        density = max(float(row[0]), 1) if row and row[0] > 0 else ROWS_A_BLOCK
        return max(1, round(self._fence.limits.batches.rows / density))


def _longer(connection: Session) -> None:
    """For the last look at the whole table: it changes nothing, so nobody waits for it."""
    value = f"{BUILD_SECONDS * 1000:.0f}ms"
    connection.execute("SELECT set_config('statement_timeout', %s, true)", [value])


def _number(connection: Session, query: Any) -> float:
    row = connection.execute(query).fetchone()
    return float(row[0]) if row else 0.0
