"""A release's schema change: planned, judged, backed up, and rehearsed on the proven backup."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from blocks.database.backup import Backup, pruned, restored, taken, upheld
from blocks.database.changes import code_of
from blocks.database.code import Exported
from blocks.database.migrators import Scripts, migrator
from blocks.database.rehearsal import Rehearsing, rehearsed
from blocks.database.squawk import dangers
from blocks.shop import Live
from domain.digest import digest_of
from domain.errors import Refused
from domain.rollback import too_soon
from domain.schema.migration import Migration, Statement, from_record, to_record
from domain.schema.page import FIRM
from domain.schema.rehearsal import Rehearsal, objections
from domain.schema.rehearsal import from_record as rehearsal_from_record
from domain.schema.rehearsal import to_record as rehearsal_record
from domain.schema.settings import Migrations
from domain.schema.statements import classified, one_line, worst
from domain.schema.statements import objections as mixed
from tasks.deployment import Deploying, manifest_of

PLAN, BACKUP, REHEARSAL = "plan migration", "back up", "prove the backup and rehearse on it"


@dataclass(frozen=True)
class Change:
    """What will run, and per statement what is dangerous about it.

    A ``first`` one met an empty database: there is nothing to back up, to rehearse or to lose.
    """

    migration: Migration
    dangers: tuple[tuple[str, ...], ...]
    first: bool

    @property
    def statements(self) -> tuple[Statement, ...]:
        return classified(self.migration)

    @property
    def proven(self) -> bool:
        """Whether there is something to back up and to rehearse."""
        return not (self.migration.empty or self.first)


def settings_of(under_way: Deploying) -> Migrations:
    migrations = under_way.live.shop.migrations
    assert migrations is not None  # only then there is a schema to change
    return migrations


@contextmanager
def scripts_of(live: Live, environment: str, commit: str) -> Iterator[Scripts]:
    """A commit's migrations beside the code of the service that they belong to, installed."""
    migrations = live.shop.migrations
    assert migrations is not None  # only then there is a schema to change
    service = live.service(migrations.service)
    paths = (*service.paths, migrations.path, service.requirements)
    with live.exported(commit, paths) as source:
        yield Scripts(
            source, migrations.path, live.environments.site(source / service.requirements)
        )


def plan_change(under_way: Deploying) -> Change:
    """What will run here, decided once for this deployment. Refused when it may never run."""
    found = under_way.step(PLAN, lambda: _planned(under_way))
    change = Change(
        from_record(found["migration"]), tuple(map(tuple, found["dangers"])), found["first"]
    )
    if change.proven:
        _judge(under_way, change)
    return change


def _planned(under_way: Deploying) -> Mapping[str, Any]:
    live, migrations = under_way.live, under_way.live.shop.migrations
    if migrations is None:
        return {"migration": to_record(Migration("", "", ())), "dangers": [], "first": False}
    database = live.database(under_way.environment)
    with scripts_of(live, under_way.environment, under_way.manifest.commit) as scripts:
        migration = migrator(migrations.migrator).planned(scripts, database)
    texts = [statement.sql for statement in classified(migration)]
    found = (
        [[f"{danger.message} {danger.help}".strip() for danger in one] for one in dangers(texts)]
        if texts
        else []
    )
    return {"migration": to_record(migration), "dangers": found, "first": database.is_empty()}


def _judge(under_way: Deploying, change: Change) -> None:
    """What may not be together, and what may not be yet."""
    statements = change.statements
    done = under_way.live.ledger.deployments.done(under_way.environment)
    history = [(row.version, row.finished_at) for row in done]
    seconds = settings_of(under_way).rollback_window_seconds
    takes_away = [one_line(one) for one in statements if one.kind in ("contract", "irreversible")]
    against = (
        *mixed(statements, empty=False),
        *too_soon(takes_away, history, datetime.now(UTC), seconds),
    )
    if against:
        raise Refused(*against)


def backed_up(under_way: Deploying) -> Backup:
    """A backup of the database as it is before anything may be migrated."""
    live, settings = under_way.live, settings_of(under_way).backups
    folder = backup_folder(live, under_way.environment) / f"deployment-{under_way.row.id}"
    database, key = live.database(under_way.environment), live.backup_key()
    return Backup(**under_way.step(BACKUP, lambda: asdict(taken(database, folder, settings, key))))


def backup_folder(live: Live, environment: str) -> Path:
    return live.state / "backups" / environment


def rehearse(under_way: Deploying, change: Change) -> Rehearsal:
    """The change on a copy that the backup was restored to. Refused when it does harm there."""
    backup = backed_up(under_way)
    found = under_way.step(REHEARSAL, lambda: _rehearsed(under_way, change, backup))
    under_way.advance("backup verified")
    rehearsal = rehearsal_from_record(found["rehearsal"])
    against = objections(rehearsal, settings_of(under_way))
    if against:
        raise Refused(*against)
    return rehearsal


def _rehearsed(under_way: Deploying, change: Change, backup: Backup) -> Mapping[str, Any]:
    live, settings = under_way.live, settings_of(under_way)
    database, key = live.database(under_way.environment), live.backup_key()
    with restored(database, backup, settings.backups, key) as copy:
        if change.migration.before:
            upheld(copy, settings.invariants)
        with (
            _code(under_way, under_way.manifest.commit, "new") as (scripts, new),
            _serving_code(under_way) as old,
        ):
            code = code_of(scripts, settings, copy)
            plan = Rehearsing(settings, under_way.epoch, new, old, code)
            rehearsal = rehearsed(copy, change.migration, plan)
    kept = backup_folder(live, under_way.environment)
    pruned(kept, settings.backups.keep, (backup.name,))
    return {
        "content": backup.content,
        "rows": backup.rows,
        "rehearsal": rehearsal_record(rehearsal),
    }


@contextmanager
def _serving_code(under_way: Deploying) -> Iterator[Exported | None]:
    """Of the version that serves now, which has to get on with the new schema."""
    service = settings_of(under_way).service
    serving = under_way.live.ledger.deployments.serving(under_way.environment).get(service)
    if serving is None:
        yield None
        return
    commit = manifest_of(under_way.live, serving.version).commit
    with _code(under_way, commit, "old") as (_, code):
        yield code


@contextmanager
def _code(under_way: Deploying, commit: str, name: str) -> Iterator[tuple[Scripts, Exported]]:
    settings = settings_of(under_way)
    logs = under_way.live.state / "rehearsals" / f"deployment-{under_way.row.id}" / name
    with scripts_of(under_way.live, under_way.environment, commit) as scripts:
        yield scripts, Exported(scripts.source, scripts.site, settings.smoke, settings.load, logs)


def needs_person(under_way: Deploying, change: Change) -> bool:
    """Where shop.yaml says so; always for a hotfix, and for what cannot be taken back."""
    if under_way.approved_as_a_whole:
        return True
    declared = under_way.declared.approve_schema
    return change.proven and (declared or worst(change.statements) in FIRM)


def plan_digest(under_way: Deploying, change: Change) -> str:
    """What an approval is bound to: manifest, place, SQL, dangers, the backup and the rehearsal."""
    manifest = under_way.live.ledger.releases.manifest(under_way.row.version)
    proof = (backed_up(under_way), rehearse(under_way, change)) if change.proven else ()
    return digest_of(
        [
            manifest, under_way.environment, change.migration.digest, change.dangers,
            *(one.digest for one in proof),
        ]
    )  # fmt: skip
