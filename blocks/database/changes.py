"""A planned schema change carried out, from wherever the schema is, by whoever it takes."""

from collections.abc import Callable

from blocks.database import Database
from blocks.database.batches import Pace
from blocks.database.execution import Applied, Execution
from blocks.database.migrators import Scripts, migrator
from domain.errors import Failed
from domain.schema.migration import Migration, Revision
from domain.schema.settings import Migrations
from domain.schema.units import units

ALONE = 1
"""The epoch of whoever has a database for itself."""


def carried_out(
    scripts: Scripts, migration: Migration, execution: Execution
) -> tuple[Applied, ...]:
    """Every unit that is left, in order, then what belongs after the last one; repeatable.

    Raises Fenced for a stale epoch, Failed when the schema is nowhere on the way or a unit fails.
    """
    execution.claim()
    database, method = execution.database, migrator(execution.limits.migrator)
    left = left_of(migration, method.state(database))
    code = code_of(scripts, execution.limits, database)
    applied = tuple(execution.apply(unit, code) for unit in units(left))
    method.finish(scripts, database.url)
    return applied


def built_anew(scripts: Scripts, settings: Migrations, database: Database) -> None:
    """The whole schema in an empty database that nobody else uses."""
    migration = migrator(settings.migrator).planned(scripts, database)
    carried_out(scripts, migration, Execution(database, settings, ALONE, pace=Pace()))


def code_of(
    scripts: Scripts, settings: Migrations, database: Database
) -> Callable[[Revision], None]:
    """Runs a revision that is code, by the service's own means, in ``database``."""
    method = migrator(settings.migrator)
    return lambda revision: method.apply(scripts, revision, database.url)


def left_of(migration: Migration, state: str) -> Migration:
    """What is still to do when the schema is at ``state``; Failed when that is not on the way."""
    if state not in migration.states:
        raise Failed(
            f"the schema is at {state or 'nothing'}, the plan was from"
            f" {migration.before or 'nothing'} to {migration.after}"
        )
    done = migration.states.index(state)
    return Migration(state, migration.after, migration.revisions[done:])
