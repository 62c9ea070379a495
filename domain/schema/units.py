"""What of a migration is applied at once: its statements in transactions, alone or in batches."""

import re
from collections.abc import Iterable

from domain.schema.backfills import batchable, batched
from domain.schema.migration import Migration, Revision, Statement, Unit, Way
from domain.schema.statements import by_revision, is_record
from domain.schema.tokens import shape

__all__ = ["batched", "units"]

Piece = tuple[Way, tuple[Statement, ...]]
_NEEDS_COMMIT = re.compile("alter type .* add value .*")
"""A new value of an enum may be used only after the transaction that added it."""


def units(migration: Migration) -> tuple[Unit, ...]:
    """Every revision's units in their order; the last one of each carries its record.

    A revision without a statement is one empty transaction, so that it is applied as well.
    Raises Refused for a script that cannot be taken apart.
    """
    return tuple(
        unit for revision, found in by_revision(migration) for unit in _units(revision, found)
    )


def _units(revision: Revision, found: tuple[Statement, ...]) -> Iterable[Unit]:
    pieces = _pieces(sorted(found, key=_writes_record)) or [("transaction", ())]
    for number, (way, statements) in enumerate(pieces, start=1):
        yield Unit(revision, number, way, statements, number == len(pieces))


def _writes_record(statement: Statement) -> bool:
    return is_record(statement) and not shape(statement.sql).startswith("create ")


def _pieces(found: Iterable[Statement]) -> list[Piece]:
    pieces: list[Piece] = []
    for statement in found:
        way = _way(statement)
        if way == "transaction" and pieces and _is_open(pieces[-1]):
            pieces[-1] = (way, (*pieces[-1][1], statement))
        else:
            pieces.append((way, (statement,)))
    return pieces


def _way(statement: Statement) -> Way:
    if not statement.sql:
        return "code"
    if statement.alone:
        return "alone"
    if statement.kind == "backfill" and batchable(statement.sql):
        return "batches"
    return "transaction"


def _is_open(piece: Piece) -> bool:
    way, statements = piece
    return way == "transaction" and not _NEEDS_COMMIT.fullmatch(shape(statements[-1].sql))
