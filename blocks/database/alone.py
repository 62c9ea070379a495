"""A statement that may not run in a transaction: one executor at a time, INVALID indexes rebuilt.

It waits for locks without ``lock_timeout``: nobody but other schema changes queues behind the lock
it asks for, and giving up in one of its waiting phases would only leave an INVALID index.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from blocks.database import indexes
from blocks.database.fence import Fence, Session
from blocks.database.locks import BUSY, Patience, explained, is_gone
from domain.errors import Failed, Unavailable
from domain.schema.migration import Unit

BUILD_SECONDS = 6 * 3600.0
BUILDS = 3
RIVALS = "SELECT pg_try_advisory_lock(hashtext('tradewind'), hashtext('alone'))"
REINDEXED = re.compile(r"_cc(new|old)\d*\"?$")


@dataclass(frozen=True)
class Alone:
    """One unit of one statement; ``run`` executes it and gives the number of rows."""

    fence: Fence
    unit: Unit
    run: Callable[[Session], int]
    patience: Patience

    def __call__(self) -> int | None:
        """Rows, or None when it was done before.

        Raises Failed when it does not work, Unavailable while another executor is at one.
        """
        with explained(self.unit, self.fence.limits), self._exclusive():
            with self.fence.session() as connection:
                if not self._is_to_do(connection):
                    return None
                rows = self._built(connection)
                with self.fence.behind(connection, self.unit) as to_do:
                    if to_do:
                        self.fence.record(connection, self.unit)
            return rows

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        """Polls on a session without a snapshot: waiting with one would deadlock with a build."""
        with self.fence.session() as connection:
            if not self.patience.until(lambda: self._taken(connection)):
                raise Unavailable(
                    f"another executor is at {self.unit.name} or one like it,"
                    f" asked {self.fence.limits.attempts} times"
                )
            yield

    def _taken(self, connection: Session) -> bool:
        self.fence.check(connection)
        self.fence.end_older(connection)
        row = connection.execute(RIVALS).fetchone()
        return bool(row and row[0])

    def _is_to_do(self, connection: Session) -> bool:
        def entered() -> bool:
            with self.fence.behind(connection, self.unit) as to_do:
                return to_do

        to_do = self.patience.over(entered)
        self.fence.end_older(connection)  # one that had passed the fence before it was raised
        return to_do

    def _built(self, connection: Session) -> int:
        (statement,) = self.unit.statements
        wanted = indexes.asked(statement.sql)
        self._limit(connection, statement.sql)
        if wanted:
            return self._created(connection, wanted)
        dropped = indexes.DROP.match(statement.sql)
        if dropped and not _there(connection, dropped["name"]):
            return 0
        if indexes.REINDEX.match(statement.sql):
            _clear_reindexed(connection)
        return self.patience.over(lambda: self.run(connection))

    def _created(self, connection: Session, wanted: indexes.Asked) -> int:
        """Built once, or again after what made it INVALID is gone; bounded."""
        for number in range(1, BUILDS + 1):
            there = wanted.found(connection)
            if there and there.valid:
                return self._met(connection, wanted, there)
            if there:
                indexes.drop(connection, there.oid)
            try:
                rows = self.run(connection)
            except psycopg.Error as error:
                self._cleared(connection, wanted, error, last=number == BUILDS)
            else:
                if (built := wanted.found(connection)) and built.valid:
                    return rows
        raise Failed(f"index {wanted.name} on {wanted.table} is INVALID after {BUILDS} builds")

    def _met(self, connection: Session, wanted: indexes.Asked, there: indexes.Index) -> int:
        if wanted.is_met_by(connection, there):
            return 0
        raise Failed(f"index {wanted.name} is there already, as another: {there.definition}")

    def _cleared(
        self, connection: Session, wanted: indexes.Asked, error: psycopg.Error, last: bool
    ) -> None:
        """Drops what the failed build left; goes on only when another build may work."""
        if is_gone(error):
            raise error
        left = wanted.found(connection)
        if left and not left.valid:
            indexes.drop(connection, left.oid)
        if last or not isinstance(error, BUSY):
            raise error

    def _limit(self, connection: Session, text: str) -> None:
        harmless = any(one.match(text) for one in (indexes.CREATE, indexes.DROP, indexes.REINDEX))
        lock_ms = 0 if harmless else self.fence.limits.lock_timeout_ms
        for name, milliseconds in {"lock": lock_ms, "statement": BUILD_SECONDS * 1000}.items():
            value = f"{milliseconds:.0f}ms"
            connection.execute("SELECT set_config(%s, %s, false)", (f"{name}_timeout", value))


def _there(connection: Session, name: str) -> bool:
    row = connection.execute("SELECT to_regclass(%s)", [name]).fetchone()
    return row is not None and row[0] is not None


def _clear_reindexed(connection: Session) -> None:
    """A killed REINDEX leaves the index it was making, or the one it had replaced."""
    for oid, name, _ in indexes.invalid(connection):
        if REINDEXED.search(name):
            indexes.drop(connection, oid)
