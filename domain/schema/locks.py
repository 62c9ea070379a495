"""PostgreSQL's table locks: which of a unit's statements took them, and whom readers waited for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MODES = (
    "ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE",
    "SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE",
)  # fmt: skip
"""The weakest first, as PostgreSQL's manual writes them."""


@dataclass(frozen=True)
class Lock:
    """``mode`` is one of ``MODES``."""

    table: str
    mode: str


@dataclass(frozen=True)
class Wait:
    """How long the unluckiest reader and writer of a table waited, in ms."""

    table: str
    reader_ms: float
    writer_ms: float


def strength(table: str, locks: Iterable[Lock]) -> int:
    """The position in ``MODES`` of the strongest lock on ``table``, -1 without any."""
    return max((MODES.index(lock.mode) for lock in locks if lock.table == table), default=-1)


def added(before: Iterable[Lock], after: Iterable[Lock]) -> tuple[Lock, ...]:
    """The strongest lock on each table after a statement, where it is stronger than before it.

    >>> added([Lock("a", "SHARE")], [Lock("a", "SHARE"), Lock("a", "EXCLUSIVE")])
    (Lock(table='a', mode='EXCLUSIVE'),)
    """
    before, after = tuple(before), tuple(after)
    return tuple(
        Lock(table, MODES[strength(table, after)])
        for table in sorted({lock.table for lock in after})
        if strength(table, after) > strength(table, before)
    )


def blamed(table: str, taken: Sequence[Sequence[Lock]]) -> int | None:
    """Which of a transaction's statements those who wait for ``table`` wait for, by position.

    Locks stay until the transaction ends, so it is the one that took the strongest lock on it.
    ``taken`` are each statement's ``added`` locks; None when nobody locked the table.

    >>> share, exclusive = Lock("a", "SHARE"), Lock("a", "ACCESS EXCLUSIVE")
    >>> blamed("a", [[], [share], [exclusive], []]), blamed("b", [[share]])
    (2, None)
    """
    strengths = [strength(table, locks) for locks in taken]
    strongest = max(strengths, default=-1)
    return strengths.index(strongest) if strongest >= 0 else None
