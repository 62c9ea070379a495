"""Schema changes unit by unit: each exactly once, behind the fence, and waiting for nobody long."""

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Protocol

from blocks.database import Database
from blocks.database.alone import Alone
from blocks.database.batches import Backfill, Pace
from blocks.database.fence import Fence, Session
from blocks.database.indexes import invalid
from blocks.database.locks import Patience, explained
from domain.errors import Refused
from domain.schema.migration import Revision, Statement, Unit
from domain.schema.settings import Migrations

Code = Callable[[Revision], None]
FORGET = "SELECT"
"""A query with values keeps its snapshot until the next one without; an index built by the code,
beside the traffic, would wait for that snapshot for ever."""
BACKENDS = """
SELECT pid, split_part(application_name, ' ', 3)::bigint, state, left(query, 80)
  FROM pg_stat_activity
 WHERE datname = current_database() AND application_name ~ '^tradewind epoch \\d+( code)?$'
   AND split_part(application_name, ' ', 3)::bigint < %s
 ORDER BY pid
"""


class Watch(Protocol):
    """Sees each statement right after it, with its transaction still open."""

    def __call__(
        self, connection: Session, statement: Statement, seconds: float, rows: int, /
    ) -> None: ...


@dataclass(frozen=True)
class Applied:
    """What came of a unit: done ``now``, or found done; ``waited_ms`` went by on locks."""

    unit: str
    now: bool
    seconds: float
    rows: int = 0
    attempts: int = 1
    waited_ms: float = 0


def unwatched(_: Session, __: Statement, ___: float, ____: int) -> None:
    """Nobody looks."""


def no_code(revision: Revision) -> None:
    raise Refused(f"{revision.name} is code, and nothing here runs it")


@dataclass(frozen=True)
class Execution:
    """One executor of one epoch.

    ``claim`` before the migrator's state is read, so that no older executor changes it afterwards.
    """

    database: Database
    limits: Migrations
    epoch: int
    watch: Watch = unwatched
    pace: Pace = field(default_factory=Pace)

    def claim(self) -> None:
        """Raises the fence to this epoch, and ends what older executors left running.

        Raises Fenced for a stale epoch, Unavailable while an older executor's code still runs.
        """
        self._fence.claim()

    def apply(self, unit: Unit, code: Code = no_code) -> Applied:
        """Exactly the unit's statements, once.

        Raises Fenced for a stale epoch; Failed when the unit cannot be applied: it is undone then,
        but for the batches that a backfill has done; Unavailable when the database went away. Code
        has a transaction of its own: killed in between, it runs again.
        """
        self._fence.prepare()
        began, patience = time.monotonic(), Patience(self.limits)
        rows = self._done(unit, code, patience)
        spent = time.monotonic() - began
        return Applied(
            unit.name, rows is not None, spent, rows or 0, patience.attempts, patience.waited_ms
        )

    @property
    def _fence(self) -> Fence:
        return Fence(self.database, self.epoch, self.limits)

    def _done(self, unit: Unit, code: Code, patience: Patience) -> int | None:
        """Rows, or None when it was done before."""
        if unit.way == "transaction":
            return self._in_transaction(unit, patience)
        if unit.way == "code":
            return self._by_code(unit, code, patience)
        if unit.way == "alone":
            (statement,) = unit.statements
            return Alone(self._fence, unit, lambda on: self._ran(on, statement), patience)()
        return Backfill(self._fence, unit, self._batch_of(unit), self.pace, patience)()

    def _in_transaction(self, unit: Unit, patience: Patience) -> int | None:
        def once(connection: Session) -> int | None:
            with self._fence.behind(connection, unit) as to_do:
                if not to_do:
                    return None
                rows = sum(self._ran(connection, statement) for statement in unit.statements)
                self._fence.record(connection, unit)
                return rows

        with explained(unit, self.limits), self._fence.session() as connection:
            return patience.over(lambda: once(connection))

    def _by_code(self, unit: Unit, code: Code, patience: Patience) -> int | None:
        """The fence is held while the code runs, so that a rival waits."""
        with ExitStack() as held:
            with explained(unit, self.limits):
                connection = held.enter_context(self._fence.session(" code"))
                to_do = patience.over(
                    lambda: held.enter_context(self._fence.behind(connection, unit))
                )
            if not to_do:
                return None
            connection.execute(FORGET)
            code(unit.revision)
            with explained(unit, self.limits):
                self._fence.record(connection, unit)
                held.close()
        return 0

    def _batch_of(self, unit: Unit) -> Callable[[Session, str, Mapping[str, object] | None], int]:
        (statement,) = unit.statements

        def run(connection: Session, text: str, ends: Mapping[str, object] | None) -> int:
            return self._ran(connection, statement, text, ends)

        return run

    def _ran(
        self,
        connection: Session,
        statement: Statement,
        text: str = "",
        values: Mapping[str, object] | None = None,
    ) -> int:
        """One statement, timed and shown to the watch; rows it touched."""
        began = time.monotonic()
        cursor = connection.execute((text or statement.sql).encode(), values)
        seconds, rows = time.monotonic() - began, max(cursor.rowcount, 0)
        self.watch(connection, statement, seconds, rows)
        return rows


def leftovers(database: Database, epoch: int) -> tuple[str, ...]:
    """What older executors left behind: INVALID indexes, and backends with an epoch below."""
    with database.session("tradewind doctor") as connection:
        left = tuple(
            f"index {name} on {table} is INVALID" for _, name, table in invalid(connection)
        )
        backends = connection.execute(BACKENDS, [epoch]).fetchall()
    return left + tuple(
        f"backend {pid} of epoch {older} is {state}: {query}"
        for pid, older, state, query in backends
    )
