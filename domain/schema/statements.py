"""Every statement of a migration with its kind, and which may not be in one release together."""

import re
from collections.abc import Sequence
from itertools import pairwise

from domain.errors import Refused
from domain.schema.judgement import ORDER, Made
from domain.schema.kinds import RECORD, judged
from domain.schema.migration import Kind, Migration, Revision, Statement
from domain.schema.sql import statements
from domain.schema.tokens import shape, significant
from domain.schema.touched import touched

CODE = "it is code, not SQL: nobody can tell what it does"
LONGEST = 200
_OPTIONS = r"(?:\( .*? \) )?"
_ALONE = re.compile(
    r"(?:create (?:unique )?index|drop index) concurrently .*"
    rf"|reindex {_OPTIONS}(?:(?:index|table) concurrently|schema|database|system) .*"
    r"|reindex \( .*\bconcurrently\b.*? \) .*"
    r"|alter table .* detach partition .* concurrently"
    r"|vacuum(?: .*)?|(?:create|drop) (?:database|tablespace) .*|alter system .*"
)
_ADDS_NOTHING = re.compile(
    r"(?:set|comment on|analyze|vacuum|reindex)\b.*"
    "|alter table [^,]* validate constraint [^ ]+"
)


def classified(migration: Migration) -> tuple[Statement, ...]:
    """All statements in their order. Raises Refused for a script that cannot be taken apart."""
    return tuple(one for _, found in by_revision(migration) for one in found)


def by_revision(migration: Migration) -> tuple[tuple[Revision, tuple[Statement, ...]], ...]:
    """As ``classified``, with the revisions they are of."""
    made = Made()
    return tuple((revision, _classified(revision, made)) for revision in migration.revisions)


def _classified(revision: Revision, made: Made) -> tuple[Statement, ...]:
    if revision.is_code:
        return (Statement(revision.name, "", "unknown", CODE),)
    try:
        return tuple(_statement(revision.name, sql, made) for sql in statements(revision.sql))
    except ValueError as error:
        raise Refused(f"revision {revision.name}: {error}") from error


def _statement(revision: str, sql: str, made: Made) -> Statement:
    judgement, words = judged(sql, made), shape(sql)
    alone = bool(_ALONE.fullmatch(words))
    return Statement(revision, sql, judgement.kind, judgement.reason, touched(words), alone)


def is_record(statement: Statement) -> bool:
    """Whether it is how the migrator itself remembers where it is."""
    return statement.reason == RECORD.reason


def worst(statements: Sequence[Statement]) -> Kind:
    """The kind that decides; ``expand`` where there is nothing."""
    return max((one.kind for one in statements), key=ORDER.index, default="expand")


def breaking(statements: Sequence[Statement]) -> tuple[str, ...]:
    """The statements after which the version before may no longer fit, one line each."""
    kinds: tuple[Kind, ...] = ("contract", "irreversible", "unknown")
    return tuple(one_line(one) for one in statements if one.kind in kinds)


def objections(statements: Sequence[Statement], *, empty: bool) -> tuple[str, ...]:
    """What may not be in one release with something that adds or fills.

    An ``empty`` database has nothing to lose, and no version before.
    """
    if empty or not any(map(_adds, statements)):
        return ()
    return tuple(
        f"{one_line(one)} ({one.kind}: {one.reason}) is beside statements that add: put it into a"
        " release of its own, after every version that needs it has left the rollback window"
        for one in statements
        if one.kind in ("contract", "irreversible")
    )


def _adds(statement: Statement) -> bool:
    adds = statement.kind in ("expand", "backfill") and not is_record(statement)
    return adds and not _ADDS_NOTHING.fullmatch(shape(statement.sql))


def one_line(statement: Statement) -> str:
    """Its SQL without comments, shortened; a revision's name where it is code."""
    if not statement.sql:
        return f"{statement.revision}: {statement.reason}"
    found = significant(statement.sql)
    gaps = ["", *(" " * (one.end < two.start) for one, two in pairwise(found))]
    line = "".join(
        gap + " ".join(token.text.split()) for gap, token in zip(gaps, found, strict=True)
    )
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
