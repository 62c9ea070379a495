"""How long a statement may wait for locks, how often it is tried, and what its errors mean."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg

from domain.errors import Failed, Unavailable
from domain.schema.migration import Unit
from domain.schema.settings import Migrations

T = TypeVar("T")
PAUSE_SECONDS = 0.2
BUSY = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected)
GONE = ("08", "57P")
"""SQLSTATE of a lost connection, and of a server that ends sessions."""


class Patience:
    """Attempts at what needs locks, for one unit: how many there were, and the ms lost on them."""

    def __init__(self, limits: Migrations) -> None:
        self.limits = limits
        self.attempts = 1
        self.waited_ms = 0.0

    def over(self, attempt: Callable[[], T]) -> T:
        """What ``attempt`` returns.

        Between two attempts whoever queued behind the first goes on. Raises LockNotAvailable or
        DeadlockDetected after ``limits.attempts``.
        """
        for _ in range(1, self.limits.attempts):
            began = time.monotonic()
            try:
                return attempt()
            except BUSY:
                self._pause(began)
        return attempt()

    def until(self, condition: Callable[[], bool]) -> bool:
        """Whether ``condition`` came true within ``limits.attempts``."""
        for _ in range(1, self.limits.attempts):
            began = time.monotonic()
            if condition():
                return True
            self._pause(began)
        return condition()

    def _pause(self, began: float) -> None:
        """Of random length, so that those who retry do not meet again."""
        time.sleep(random.uniform(0.5, 1.5) * PAUSE_SECONDS)
        self.attempts += 1
        self.waited_ms += (time.monotonic() - began) * 1000


def limited(connection: "psycopg.Connection[Any]", limits: Migrations) -> None:
    """For the transaction under way: how long it waits for locks, and how long a statement runs."""
    timeouts = {
        "lock_timeout": f"{limits.lock_timeout_ms}ms",
        "statement_timeout": f"{limits.statement_timeout_seconds * 1000:.0f}ms",
    }
    for name, value in timeouts.items():
        connection.execute("SELECT set_config(%s, %s, true)", (name, value))


@contextmanager
def explained(unit: Unit, limits: Migrations) -> Iterator[None]:
    """psycopg's errors as ours: Unavailable when the database went away, else Failed."""
    after = unit.revision.after
    try:
        yield
    except BUSY as error:
        waited = limits.attempts * limits.lock_timeout_ms / 1000
        raise Failed(
            f"migration to {after}: no lock within {waited:.1f} s, undone: {unit.name}"
        ) from error
    except psycopg.Error as error:
        if is_gone(error):
            raise Unavailable(f"the database went away while migrating: {error}") from error
        raise Failed(f"migration to {after} failed, undone: {unit.name}: {error}") from error


def is_gone(error: psycopg.Error) -> bool:
    """Whether the connection is lost, so that nothing is known."""
    if error.sqlstate is not None:
        return error.sqlstate.startswith(GONE)
    return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
