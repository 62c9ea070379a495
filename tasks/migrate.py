"""The schema change: exactly the approved SQL, exactly once, fenced."""

from collections.abc import Mapping
from typing import Any

from prefect import task

from blocks.database.backup import Backup
from domain.errors import Failed, Refused
from domain.migration import Migration, breaking
from tasks.deployment import Deploying
from tasks.prepare import backed_up, needs_person, plan_digest, plan_migration
from tasks.retries import STEP


@task(task_run_name="migrate {under_way.environment}", **STEP)
def migrate(under_way: Deploying) -> None:
    """Nothing to do for a way back, which is code only, or when the schema is there already."""
    if under_way.row.kind == "rollback":
        return
    migration = plan_migration(under_way)
    if not migration.empty:
        _approved(under_way, migration, backed_up(under_way))
        under_way.step("migrate", lambda: _migrated(under_way, migration))
    under_way.advance("expanded")


def _approved(under_way: Deploying, migration: Migration, backup: Backup) -> None:
    """Resuming a flow is only a wake-up: the ledger says whether somebody approved this plan."""
    if not needs_person(under_way, backup):
        return
    digest = plan_digest(under_way, migration, backup)
    decisions = {
        approval.plan_digest: approval.decision
        for approval in under_way.live.ledger.approvals.of_deployment(under_way.row.id)
    }
    found = decisions.get(digest, "missing")
    if found != "approved":
        raise Refused(f"the approval of the plan {digest[:19]} is {found}")


def _migrated(under_way: Deploying, migration: Migration) -> Mapping[str, Any]:
    database = under_way.live.database(under_way.environment)
    limits = under_way.live.shop.migrations
    assert limits is not None  # only then there is a migration
    found = database.revision()
    if found not in (migration.before, migration.after):
        raise Failed(
            f"the schema is at {found}, the plan was from {migration.before} to {migration.after}"
        )
    applied = database.apply(migration, limits, under_way.epoch, under_way.journal.key("migrate"))
    return {
        "before": migration.before,
        "after": migration.after,
        "applied": applied,
        "breaks": list(breaking(migration.sql)),
    }
