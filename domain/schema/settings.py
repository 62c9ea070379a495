"""What ``shop.yaml`` says of the database: migrations, backups, and what a change may cost."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from domain.fields import STRICT, Range, Seconds


@dataclass(frozen=True)
class Smoke:
    """A command of the service's, run from a commit with ``DATABASE_URL`` naming a copy."""

    __pydantic_config__ = STRICT
    command: tuple[str, ...]
    timeout_seconds: Seconds = 120


@dataclass(frozen=True)
class Batches:
    """How a backfill goes: so many rows at a time, waiting while replicas lag or others queue."""

    __pydantic_config__ = STRICT
    rows: Annotated[int, Range(1, 1_000_000)] = 5000
    most_lag_seconds: Seconds = 5
    most_waiting: Annotated[int, Range(0, 10_000)] = 0


@dataclass(frozen=True)
class Backups:
    """How a database is backed up: ``key`` names an age identity, and ``keep`` counts backups.

    A database of more than ``physical_above_gb`` is copied file by file, not dumped; 0: never.
    """

    __pydantic_config__ = STRICT
    jobs: Annotated[int, Range(1, 64)] = 2
    key: str = ""
    keep: Annotated[int, Range(1, 1000)] = 5
    physical_above_gb: Annotated[float, Range(0, 1_000_000)] = 0


@dataclass(frozen=True)
class Delta:
    """What a restore must not lose of one table.

    ``export`` is a query of the rows since ``%(since)s``, ``replay`` a statement with a row's
    columns as ``%(name)s`` that does nothing when the row is there already.
    """

    __pydantic_config__ = STRICT
    export: str
    replay: str


@dataclass(frozen=True)
class Migrations:
    """The schema's migrations, whose environment runs them, and what a change of it may cost.

    ``most_wait_ms`` is how long a reader or a writer may wait for a statement. ``invariants`` are
    queries by name that find no row in a sound database; ``masks`` are SQL expressions by
    ``table.column`` that hide personal data in copies.
    """

    __pydantic_config__ = STRICT
    path: str
    service: str
    migrator: Literal["alembic", "django", "sql"] = "alembic"
    lock_timeout_ms: Annotated[int, Range(10, 10_000)] = 200
    attempts: Annotated[int, Range(1, 200)] = 30
    statement_timeout_seconds: Seconds = 60
    most_wait_ms: Annotated[float, Range(1, 600_000)] = 300
    rollback_window_seconds: Annotated[float, Range(0, 31_536_000)] = 86_400
    backups: Backups = field(default_factory=Backups)
    batches: Batches = field(default_factory=Batches)
    smoke: Smoke | None = None
    load: Smoke | None = None
    invariants: Mapping[str, str] = field(default_factory=dict)
    masks: Mapping[str, str] = field(default_factory=dict)
    deltas: Mapping[str, Delta] = field(default_factory=dict)
