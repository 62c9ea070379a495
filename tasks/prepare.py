"""Before anything moves: protections, the schema change with a proven backup, and its approval."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from prefect import task

from blocks.database.alembic import Scripts, planned
from blocks.database.backup import Backup, proven, taken
from blocks.shop import Live
from domain.digest import digest_of
from domain.errors import Refused
from domain.journal import UNTOUCHED, Approval, Deployment
from domain.migration import Migration, tables_touched
from domain.plan import overtaking, quarantined
from tasks.deployment import Deploying, deploying, manifest_of
from tasks.retries import STEP


@dataclass(frozen=True)
class Leg:
    """One version on its way into one environment: by which flow run, and who asked for it."""

    version: str
    environment: str
    flow_run: str
    requested_by: str


@dataclass(frozen=True)
class Prepared:
    """A deployment that may begin or waits for ``approval``; ``text`` is what a person reads."""

    deployment: Deployment
    approval: Approval | None
    text: str


@task(task_run_name="prepare {leg.environment}", **STEP)
def prepare(live: Live, leg: Leg, owner: str) -> Prepared:
    """Opens the deployment, plans and backs up under the lease. Refused with nothing changed."""
    row = opened(live, leg)
    if row.state not in UNTOUCHED:
        return Prepared(row, None, "")
    with deploying(live, row.id, owner) as under_way:
        migration = plan_migration(under_way)
        if migration.empty:
            return Prepared(row, None, "")
        backup = backed_up(under_way)
        if not needs_person(under_way, backup):
            return Prepared(row, None, "")
        return _awaiting(under_way, migration, backup)


def opened(live: Live, leg: Leg) -> Deployment:
    """The leg's deployment, protected until it began; the same flow run gets the same again."""
    known = live.ledger.deployments.of_flow_run(leg.flow_run, leg.environment)
    if known is None or known.state in UNTOUCHED:
        protect(live, leg.version, leg.environment)
    return live.ledger.deployments.open(
        leg.version, leg.environment, "release", leg.flow_run, leg.requested_by
    )


def protect(live: Live, version: str, environment: str) -> None:
    """Every reason why this version may not go there, at once."""
    done = live.ledger.deployments.done(environment)
    passed = next((row.version for row in done if row.kind == "release"), None)
    manifest = manifest_of(live, version)
    against = (
        *overtaking(version, passed, environment),
        *quarantined(manifest, live.ledger.quarantine.reasons()),
    )
    if against:
        raise Refused(*against)


def plan_migration(under_way: Deploying) -> Migration:
    """The SQL that will run here, decided once for this deployment."""
    return Migration(**under_way.step("plan migration", lambda: _planned(under_way)))


def _planned(under_way: Deploying) -> Mapping[str, Any]:
    live, migrations = under_way.live, under_way.live.shop.migrations
    if migrations is None:
        return asdict(Migration("", "", ""))
    locked = live.service(migrations.service).requirements
    commit = under_way.manifest.commit
    with live.exported(commit, (migrations.path, locked)) as source:
        scripts = Scripts(source, migrations.path, live.environments.site(source / locked))
        return asdict(planned(scripts, live.database(under_way.environment).revision()))


def backed_up(under_way: Deploying) -> Backup:
    """A backup that was restored beside and compared before anything may be migrated."""
    database = under_way.live.database(under_way.environment)
    path = under_way.live.state / "backups" / f"deployment-{under_way.row.id}.dump"
    backup = Backup(**under_way.step("back up", lambda: asdict(taken(database, path))))

    def prove() -> Mapping[str, Any]:
        proven(database, backup)
        return {"content": backup.content, "rows": backup.rows}

    under_way.step("prove the backup", prove)
    under_way.advance("backup verified")
    return backup


def needs_person(under_way: Deploying, backup: Backup) -> bool:
    """A schema change where shop.yaml says so; an empty database has nothing to lose."""
    return under_way.declared.approve_schema and bool(backup.tables)


def plan_digest(under_way: Deploying, migration: Migration, backup: Backup) -> str:
    """What an approval is bound to: the manifest, the place, the SQL and the backup's content."""
    manifest = under_way.live.ledger.releases.manifest(under_way.row.version)
    return digest_of([manifest, under_way.environment, migration.digest, backup.content])


def _awaiting(under_way: Deploying, migration: Migration, backup: Backup) -> Prepared:
    digest = plan_digest(under_way, migration, backup)
    seconds = under_way.declared.approval_timeout_seconds
    approval = under_way.live.ledger.approvals.open(under_way.row, digest, seconds)
    under_way.advance("awaiting approval")
    row = under_way.live.ledger.deployments.get(under_way.row.id)
    return Prepared(row, approval, _shown(under_way, migration, backup, approval))


def _shown(under_way: Deploying, migration: Migration, backup: Backup, approval: Approval) -> str:
    """What the approver reads: SQL, tables, rows, the backup and its proof."""
    tables = tables_touched(migration.sql)
    counts = {name.rpartition(".")[2]: count for name, (count, _) in backup.tables.items()}
    touched = ", ".join(f"`{name}` ({counts.get(name, 0):,} rows)" for name in tables)
    return "\n".join(
        (
            f"## Schema change of {under_way.row.version} in {under_way.environment}",
            f"Asked for by **{under_way.row.requested_by}**; somebody else has to approve it"
            f" before {approval.expires_at:%Y-%m-%d %H:%M} UTC.",
            f"- revision: `{migration.before or 'none'}` → `{migration.after}`",
            f"- tables touched: {touched or 'none'}",
            f"- backup: {backup.size:,} bytes, {backup.rows:,} rows in {len(backup.tables)} tables,"
            " **restored beside and equal**, row by row",
            f"- plan: `{approval.plan_digest[:19]}…`",
            f"```sql\n{migration.sql}\n```",
        )
    )
