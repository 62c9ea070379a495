"""A database put back to a backup: asked for, opened, and carried out step by step."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from prefect import task
from pydantic import BaseModel, ConfigDict, Field

from blocks.database import Database, named
from blocks.database.backup import Backup, upheld
from blocks.database.fence import Fence
from blocks.database.migrators import migrator
from blocks.database.recovery import (
    built,
    counted,
    exported,
    name_of,
    read_only,
    replayed,
    swapped,
    writable,
)
from blocks.shop import Live
from domain.digest import digest_of
from domain.errors import Failed, Refused
from domain.journal import UNTOUCHED, Deployment
from domain.schema.recovery import Restore, objections, overlapping, page
from domain.schema.settings import Migrations
from tasks.deployment import Deploying, deploying, scope_of
from tasks.prepare import Prepared
from tasks.retries import RESTORATION, STEP
from tasks.schema import BACKUP, PLAN
from tasks.statements import verified

CHOSEN = "choose the backup"


class RestoreRequest(BaseModel):
    """Which database goes back, to which backup, and why."""

    model_config = ConfigDict(extra="forbid")
    environment: str = Field(title="Environment")
    backup: str = Field(default="", title="Backup (empty = the newest)")
    accept_older_schema: bool = Field(
        default=False, title="Go on although what serves was released with a newer schema"
    )
    reason: str = Field(title="Why", min_length=1, max_length=500)
    requested_by: str = Field(title="Your name", min_length=1, max_length=100)


@task(task_run_name="prepare a restore of {request.environment}", **STEP)
def prepare_restore(live: Live, request: RestoreRequest, flow_run: str, owner: str) -> Prepared:
    """Opens the restore and asks for a second person. Refused with nothing changed."""
    settings = live.shop.migrations
    if settings is None:
        raise Refused("migrations is not in shop.yaml: there is no database to restore")
    found = chosen(live, request)
    serving = live.ledger.deployments.done(request.environment)
    against = objections(found, settings.deltas, bool(serving))
    if against:
        raise Refused(*against)
    row = live.ledger.deployments.open(
        serving[0].version, request.environment, "restore", flow_run, request.requested_by.strip()
    )
    if row.state not in UNTOUCHED:
        return Prepared(row, None, "")
    with deploying(live, row.id, owner) as under_way:
        under_way.step(CHOSEN, lambda: asdict(found))
        return _awaiting(under_way, found, request.reason)


def _awaiting(under_way: Deploying, found: Restore, reason: str) -> Prepared:
    live, row = under_way.live, under_way.row
    digest = digest_of(asdict(found))
    seconds = under_way.declared.approval_timeout_seconds
    approval = live.ledger.approvals.open(row, digest, seconds)
    under_way.advance("awaiting approval")
    database = live.database(row.environment)
    lost = counted(database, _settings(under_way).deltas, found.backup["taken_at"])
    row = live.ledger.deployments.get(row.id)
    return Prepared(row, approval, page(found, row, approval, lost, reason))


def chosen(live: Live, request: RestoreRequest) -> Restore:
    """The backup, of those that were proven and are still there. Refused when there is none."""
    live.environment(request.environment)
    known = backups(live, request.environment)
    name = request.backup or next(iter(known), "")
    if name not in known:
        there = ", ".join(known) or "none"
        raise Refused(f"backup is {request.backup!r}, {request.environment} has: {there}")
    row, planned, backup = known[name]
    settings = live.shop.migrations
    assert settings is not None  # asked before
    now = migrator(settings.migrator).state(live.database(request.environment))
    serving = {one.version for one in live.ledger.deployments.serving(request.environment).values()}
    before = {one["version"] for one in row.previous.values()}
    return Restore(
        name, backup, planned["migration"]["before"], now,
        fits=serving <= before or request.accept_older_schema,
    )  # fmt: skip


def backups(
    live: Live, environment: str
) -> dict[str, tuple[Deployment, Mapping[str, Any], Mapping[str, Any]]]:
    """By name, newest first: whose deployment took it, what was planned, and the backup."""
    found = {}
    for row in live.ledger.deployments.of_environment(environment):
        steps = {step.name: step.outcome for step in live.ledger.steps(scope_of(row))}
        if BACKUP in steps and steps[BACKUP] and Path(steps[BACKUP]["path"]).is_dir():
            found[f"deployment-{row.id}"] = (row, steps[PLAN], steps[BACKUP])
    return found


def recover(live: Live, number: int, owner: str) -> None:
    """The approved restore, from wherever an earlier executor left it.

    Until the databases are exchanged a failure lets the shop write again; afterwards it halts.
    """
    with deploying(live, number, owner) as under_way:
        if under_way.row.finished:
            return
        _approved(under_way)
        try:
            restore_database(under_way)
        except Failed as error:
            give_up(under_way, error)


def _approved(under_way: Deploying) -> None:
    verified(under_way.live, under_way.row.id, digest_of(under_way.outcome(CHOSEN)))


@task(task_run_name="restore the database of {under_way.environment}", **STEP)
def restore_database(under_way: Deploying) -> None:
    """Nobody writes, the delta is saved, the backup comes beside, takes the delta and the name."""
    live, settings, found = under_way.live, _settings(under_way), _restore(under_way)
    database = live.database(under_way.environment)
    backup, since = Backup(**found.backup), overlapping(found.backup["taken_at"])
    fresh, kept = _names(under_way, database)
    folder = live.state / "restores" / f"deployment-{under_way.row.id}"
    beside = Database(named(database.url, fresh))
    under_way.advance("restoring")
    under_way.step("stop writers", lambda: _stopped(database))
    delta = under_way.step(
        "export what came since", lambda: exported(database, settings.deltas, since, folder)
    )

    def brought() -> Mapping[str, Any]:
        made = built(database, backup, settings.backups, live.backup_key(), fresh)
        Fence(made, under_way.epoch, settings).claim()
        return {"rows": backup.rows}

    under_way.step("restore beside", brought)
    under_way.step(
        "replay what came since", lambda: replayed(beside, settings.deltas, delta, folder)
    )
    under_way.step("check what was restored", lambda: _checked(beside, settings, delta, since))
    under_way.step("exchange", lambda: {"now": swapped(database, fresh, kept), "kept": kept})
    under_way.advance("done", f"back to {found.name}; what was there is kept as {kept}")


@task(task_run_name="let {under_way.environment} write again", **RESTORATION)
def give_up(under_way: Deploying, error: Failed) -> None:
    """Before the exchange everything is as it was."""
    if under_way.outcome("exchange"):
        under_way.advance("rolling back", str(error))
        under_way.advance("halted", str(error))
        return
    under_way.advance("rolling back", str(error))
    writable(under_way.live.database(under_way.environment))
    under_way.advance("rolled back", str(error))


def _checked(
    beside: Database, settings: Migrations, delta: Mapping[str, Any], since: str
) -> Mapping[str, Any]:
    """Every exported row is there, and the shop's invariants hold."""
    there = counted(beside, settings.deltas, since)
    short = [
        f"{name} has {there[name]} of {rows} rows since {since}"
        for name, (rows, _) in delta.items()
        if there[name] < rows
    ]
    if short:
        raise Failed(*short)
    upheld(beside, settings.invariants)
    return there


def _restore(under_way: Deploying) -> Restore:
    return Restore(**under_way.outcome(CHOSEN))


def _names(under_way: Deploying, database: Database) -> tuple[str, str]:
    """Of the restored database while it is made, and of the one that it replaces."""
    name, number = name_of(database), under_way.row.id
    return f"{name}_restored_{number}", f"{name}_before_restore_{number}"


def _settings(under_way: Deploying) -> Migrations:
    settings = under_way.live.shop.migrations
    assert settings is not None  # asked before
    return settings


def _stopped(database: Database) -> Mapping[str, Any]:
    read_only(database)
    return {"database": name_of(database)}
