"""Before anything moves: protections, the schema change, its proof, and its approval."""

from dataclasses import dataclass

from prefect import task

from blocks.shop import Live
from domain.approving.page import page
from domain.errors import Failed, Refused
from domain.journal import UNTOUCHED, Approval, Deployment
from domain.markdown import plain
from domain.plan import overtaking, quarantined
from tasks.apitests import ready_to_test
from tasks.deployment import Deploying, deploying, manifest_of
from tasks.drilled import note_drills, undrilled
from tasks.retries import STEP
from tasks.schema import Change, backed_up, needs_person, plan_change, plan_digest, rehearse
from tasks.schema_page import shown


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
    try:
        return _proven(live, row, owner)
    except Failed as error:  # of a backup, or on a copy: nothing that serves was touched
        raise Refused(str(error)) from error


def _proven(live: Live, row: Deployment, owner: str) -> Prepared:
    """Backed up, rehearsed, and waiting for a person where one is needed."""
    with deploying(live, row.id, owner) as under_way:
        ready_to_test(under_way)
        note_drills(under_way)
        change = plan_change(under_way)
        if change.proven:
            backed_up(under_way)
            rehearse(under_way, change)
        if not needs_person(under_way, change):
            return Prepared(row, None, "")
        return _awaiting(under_way, change)


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
    held = live.ledger.pauses.held_by(environment)
    against = (
        *([f"{environment} is {held}"] if held else []),
        *overtaking(version, passed, environment),
        *quarantined(manifest, live.ledger.quarantine.reasons()),
        *undrilled(live, version, environment),
    )
    if against:
        raise Refused(*against)


def _awaiting(under_way: Deploying, change: Change) -> Prepared:
    digest = plan_digest(under_way, change)
    seconds = under_way.declared.approval_timeout_seconds
    approval = under_way.live.ledger.approvals.open(under_way.row, digest, seconds)
    under_way.advance("awaiting approval")
    row = under_way.live.ledger.deployments.get(under_way.row.id)
    pages = [_whole(under_way, change, approval)] if under_way.approved_as_a_whole else []
    if change.proven:
        pages.append(shown(under_way, change, approval))
    return Prepared(row, approval, "\n\n".join((*_warned(under_way), *pages)))


def _warned(under_way: Deploying) -> tuple[str, ...]:
    return tuple(f"**⚠ {plain(one)}**" for one in note_drills(under_way))


def _whole(under_way: Deploying, change: Change, approval: Approval) -> str:
    """The release itself, for whoever approves it although its schema may ask nobody."""
    row, hotfix = under_way.row, under_way.hotfix
    schema = "changes, see below" if change.proven else "stays as it is"
    why = under_way.live.ledger.releases.get(row.version).reason
    asked = [f"**Hotfix** for {plain(hotfix.incident)}, due {hotfix.deadline_at:%H:%M} UTC"
             ] if hotfix else []  # fmt: skip
    lines = (*asked, *([f"Why: {plain(why)}"] if why else []))
    return page(row, approval, under_way.plan.changes, schema, lines)
