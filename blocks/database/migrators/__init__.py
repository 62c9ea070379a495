"""Migrators: what a commit's Alembic, Django or SQL files will do to a database, as revisions."""

from typing import Protocol

from blocks.database import Database
from blocks.database.migrators.alembic import Alembic
from blocks.database.migrators.django import Django
from blocks.database.migrators.scripts import Scripts
from blocks.database.migrators.sqlfiles import SqlFiles
from domain.errors import BadInput
from domain.schema.migration import Migration, Revision

__all__ = ["Migrator", "Scripts", "migrator"]


class Migrator(Protocol):
    """One way to keep a schema's history. Every method raises Refused for another database than
    PostgreSQL, and Unavailable when the database or the service's code does not answer."""

    def state(self, database: Database) -> str:
        """Where the schema is, as the database itself says; "" when nothing was applied."""
        ...

    def planned(self, scripts: Scripts, database: Database) -> Migration:
        """From where the schema is to this commit's newest, in order; nothing is changed.

        Raises Refused when the scripts do not work or do not fit what was applied.
        """
        ...

    def apply(self, scripts: Scripts, revision: Revision, database_url: str) -> None:
        """One revision that is code, its record included; nothing when it is there already.

        Raises Failed when the code fails, takes too long, or the schema is somewhere else.
        """
        ...

    def finish(self, scripts: Scripts, database_url: str) -> None:
        """What belongs to a schema after its last revision (Django's permissions); repeatable."""
        ...


MIGRATORS: dict[str, Migrator] = {"alembic": Alembic(), "django": Django(), "sql": SqlFiles()}


def migrator(name: str) -> Migrator:
    """The migrator that shop.yaml names; BadInput for one that is not known."""
    if name not in MIGRATORS:
        raise BadInput(f"migrator is {name!r}, known are {', '.join(sorted(MIGRATORS))}")
    return MIGRATORS[name]
