"""The schema change itself: approved, fenced, exactly once, and watched while it goes."""

import time
from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

from prefect import task
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.context import FlowRunContext

from blocks.database.batches import Pace, Progress
from blocks.database.changes import carried_out
from blocks.database.execution import Execution
from domain.schema.migration import Migration
from domain.schema.statements import breaking, classified
from tasks.begin import approved
from tasks.deployment import Deploying
from tasks.retries import STEP
from tasks.schema import (
    Change,
    backed_up,
    needs_person,
    plan_change,
    rehearse,
    scripts_of,
    settings_of,
)

NAME = "migrate"
SHOWN_SECONDS = 1.0


@task(task_run_name="migrate {under_way.environment}", **STEP)
def migrate(under_way: Deploying) -> None:
    """Nothing to do for a way back, which is code only, or when the schema is there already."""
    if under_way.row.kind == "rollback":
        return
    change = plan_change(under_way)
    if not change.migration.empty:
        if change.proven:
            _approved(under_way, change)
        under_way.step(NAME, lambda: _migrated(under_way, change.migration))
    under_way.advance("expanded")


def _approved(under_way: Deploying, change: Change) -> None:
    """Proven, rehearsed, and approved where a person is needed.

    What was begun inside its window is brought to an end, also after it.
    """
    backed_up(under_way)
    rehearse(under_way, change)
    if needs_person(under_way, change):
        approved(under_way, change, begun=under_way.journal.find(NAME) is not None)


def _migrated(under_way: Deploying, migration: Migration) -> Mapping[str, Any]:
    live, settings = under_way.live, settings_of(under_way)
    database = live.database(under_way.environment)
    execution = Execution(database, settings, under_way.epoch, pace=_pace(under_way))
    with scripts_of(live, under_way.environment, under_way.manifest.commit) as scripts:
        applied = carried_out(scripts, migration, execution)
    return {
        "before": migration.before,
        "after": migration.after,
        "units": [vars(one) for one in applied],
        "breaks": list(breaking(classified(migration))),
    }


def _pace(under_way: Deploying) -> Pace:
    held = under_way.live.ledger.pauses.held_by
    return Pace(Shown(under_way.environment), lambda: bool(held(under_way.environment)))


class Shown:
    """A backfill's progress in the UI, at most once a second."""

    def __init__(self, environment: str) -> None:
        self._key = f"backfill-{environment}"
        self._artifact: UUID | None = None
        self._last = float("-inf")

    def __call__(self, progress: Progress) -> None:
        over = progress.blocks >= progress.total_blocks
        if FlowRunContext.get() is None or (
            not over and time.monotonic() < self._last + SHOWN_SECONDS
        ):
            return
        self._last = time.monotonic()
        share = round(100 * progress.blocks / max(1, progress.total_blocks), 1)
        if self._artifact is None:
            made = create_progress_artifact(share, key=self._key, description=said(progress))
            self._artifact = cast(UUID, made)  # in a synchronous flow
        else:
            update_progress_artifact(self._artifact, share, said(progress))


def said(progress: Progress) -> str:
    """
    >>> said(Progress("0002/2", 5, 10, 12_000, 90.0, "held by Ann: peak"))
    '0002/2: 12,000 rows, about 90 s left, waits for: held by Ann: peak'
    """
    left = f", about {progress.seconds_left:.0f} s left" if progress.seconds_left else ""
    waits = f", waits for: {progress.waits_for}" if progress.waits_for else ""
    return f"{progress.unit}: {progress.rows:,} rows{left}{waits}"
