"""A schema change as a value: a migrator's revisions with exactly the SQL that will run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from domain.digest import digest_of

Kind = Literal["expand", "backfill", "contract", "irreversible", "unknown"]
"""``expand`` adds and the version before goes on working; ``backfill`` fills what was added;
``contract`` takes away what the version before may need; ``irreversible`` loses what is there;
``unknown`` is treated as irreversible."""

Way = Literal["transaction", "alone", "batches", "code"]


@dataclass(frozen=True)
class Revision:
    """One step of a migrator, from one state of the schema to the next.

    ``sql`` is what will run, the migrator's own record of the step included; "" where the step is
    no SQL but the service's own code. ``before`` and ``after`` are states as the migrator tells
    them.
    """

    name: str
    before: str
    after: str
    sql: str

    @property
    def is_code(self) -> bool:
        return not self.sql


@dataclass(frozen=True)
class Statement:
    """One statement of a revision: its kind and why, and the tables it touches, as written.

    One that is ``alone`` may not run in a transaction, such as CREATE INDEX CONCURRENTLY.
    """

    revision: str
    sql: str
    kind: Kind
    reason: str
    tables: tuple[str, ...] = ()
    alone: bool = False


@dataclass(frozen=True)
class Unit:
    """What is applied at once, exactly once: ``number`` counts within the revision, from 1.

    The ``last`` unit of a revision carries the migrator's own record of it.
    """

    revision: Revision
    number: int
    way: Way
    statements: tuple[Statement, ...]
    last: bool

    @property
    def name(self) -> str:
        return f"{self.revision.name}/{self.number}"

    @property
    def digest(self) -> str:
        revision = self.revision
        return digest_of([revision.name, revision.before, revision.after, self.number, self.sql])

    @property
    def sql(self) -> str:
        return "\n".join(f"{statement.sql};" for statement in self.statements)


@dataclass(frozen=True)
class Migration:
    """From one state of the schema to another; nothing to do when there is no revision."""

    before: str
    after: str
    revisions: tuple[Revision, ...]

    @property
    def digest(self) -> str:
        return digest_of(to_record(self))

    @property
    def empty(self) -> bool:
        return not self.revisions

    @property
    def states(self) -> tuple[str, ...]:
        """Where the schema may be while this is under way."""
        return (self.before, *(revision.after for revision in self.revisions))

    @property
    def sql(self) -> str:
        return "\n".join(revision.sql for revision in self.revisions)


def to_record(migration: Migration) -> dict[str, Any]:
    """As JSON-ready values, as the ledger keeps it."""
    revisions = [vars(revision) for revision in migration.revisions]
    return {"before": migration.before, "after": migration.after, "revisions": revisions}


def from_record(record: Mapping[str, Any]) -> Migration:
    """The inverse of ``to_record``."""
    revisions = tuple(Revision(**revision) for revision in record["revisions"])
    return Migration(record["before"], record["after"], revisions)
