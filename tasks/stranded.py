"""What dead executors left behind: found by their lapsed leases, brought to an end, woken."""

from datetime import UTC, datetime

from prefect import task

from blocks.prefect_server import PrefectServer
from blocks.shop import Live
from domain.errors import Failed, Refused
from domain.journal import UNTOUCHED, Deployment, Release
from tasks.deployment import deploying, executor
from tasks.ending import finish, refuse
from tasks.failure import explain
from tasks.notify import tell_end
from tasks.report import report
from tasks.restore import restore
from tasks.retries import STEP
from tasks.runs import this_run

MOST_RUNS = 10
NEVER_BEGUN_SECONDS = 60.0
DEAD = ("CRASHED", "FAILED", "RUNNING")
"""States in which an idle run was cut off; a paused or scheduled one comes back by itself."""
GIVEN_UP = ("CANCELLED", "CANCELLING", "")
"""A person cancelled the run, or deleted it."""
CANCELLED = "its run was cancelled"


@task(task_run_name="close expired approvals", **STEP)
def close_expired(live: Live) -> None:
    """An approval whose time is over closes its deployment, and the release whose own it is."""
    for row in live.ledger.deployments.unfinished():
        for approval in live.ledger.approvals.of_deployment(row.id):
            if live.ledger.approvals.expire(approval.id).decision == "expired":
                reason = f"approval {approval.id} expired at {approval.expires_at:%H:%M:%S} UTC"
                refuse(live, row, reason)
                release = live.ledger.releases.get(row.version)
                if row.flow_run == release.flow_run:
                    release = finish(live, release, Refused(reason))
                report(live, release)
                explain(live, release)
                tell_end(live, release)


def stranded(live: Live) -> tuple[Deployment, ...]:
    """Deployments that nobody carries; one that touched nothing goes on by its own run."""
    return tuple(
        row
        for row in live.ledger.deployments.unfinished()
        if (row.kind == "rollback" or (row.kind == "release" and row.state not in UNTOUCHED))
        and not live.ledger.leases.held(row.environment)
    )


@task(task_run_name="take {row.version} back from {row.environment} if cancelled", **STEP)
def take_back_cancelled(live: Live, row: Deployment) -> None:
    """A run that a person cancelled is not carried forward: what it began is taken back."""
    state = PrefectServer().state_of(row.flow_run)
    if state not in GIVEN_UP:
        return
    with deploying(live, row.id, executor(this_run())) as under_way:
        restore(under_way, Failed(CANCELLED))


@task(task_run_name="wake what was cut off", **STEP)
def wake_idle(live: Live) -> None:
    """Runs of unfinished releases that nobody executes start again, and go on by the ledger."""
    for release in live.ledger.releases.all():
        if release.finished_at is None and _idle(live, release):
            if _given_up(release.flow_run):
                tell_end(live, finish(live, release, Refused(CANCELLED)))
            else:
                _wake(release.flow_run)


@task(task_run_name="wake promotions that were cut off", **STEP)
def wake_promotions(live: Live, carried: tuple[Deployment, ...]) -> None:
    """The same for promotions and restores, whose runs are their own.

    Those just ``carried`` end properly.
    """
    for row in live.ledger.deployments.unfinished():
        if _of_its_own(live, row) and _left_alone(live, row):
            if row.state in UNTOUCHED and _given_up(row.flow_run):
                refuse(live, row, CANCELLED)
            else:
                _wake(row.flow_run)
    for row in carried:
        if _promotion(live, row):
            _wake(row.flow_run)


def _of_its_own(live: Live, row: Deployment) -> bool:
    """A run other than a release's goes on with it: a restore's at any time."""
    if row.kind == "restore":
        return True
    return _promotion(live, row) and row.state in UNTOUCHED


@task(task_run_name="wake what waited for its window", **STEP)
def wake_windows(live: Live) -> None:
    """Runs whose approval is for a window that has begun."""
    now, server = datetime.now(UTC), PrefectServer()
    for row in live.ledger.deployments.unfinished():
        for approval in live.ledger.approvals.of_deployment(row.id):
            begun = approval.begins_at is not None and not approval.too_early(now)
            if begun and row.state == "awaiting approval" and _suspended(server, row.flow_run):
                server.resume(row.flow_run)


def _suspended(server: PrefectServer, flow_run: str) -> bool:
    return server.state_of(flow_run) == "PAUSED"


def _promotion(live: Live, row: Deployment) -> bool:
    """Whether another run than the release's own brought it there."""
    own = live.ledger.releases.get(row.version).flow_run
    return row.kind == "release" and row.flow_run != own


def _given_up(flow_run: str) -> bool:
    return PrefectServer().state_of(flow_run) in GIVEN_UP


def _wake(flow_run: str) -> None:
    server = PrefectServer()
    if server.state_of(flow_run) in DEAD and server.starts_of(flow_run) < MOST_RUNS:
        server.start_again(flow_run)


def _idle(live: Live, release: Release) -> bool:
    """No lease of its own is held, and none was for a term."""
    rows = live.ledger.deployments.of_release(release.version)
    names = [f"release {release.version}"]
    names += [row.environment for row in rows if not row.finished]
    seconds = max(live.environment(place).lease_seconds for place in release.route)
    return _quiet(live, names, release.created_at, seconds)


def _left_alone(live: Live, row: Deployment) -> bool:
    """The same, of one deployment."""
    seconds = live.environment(row.environment).lease_seconds
    return _quiet(live, [row.environment], row.created_at, seconds)


def _quiet(live: Live, names: list[str], since: datetime, seconds: float) -> bool:
    """None of these leases was held for ``seconds``; one never taken is given time to begin."""
    idle = live.ledger.leases.idle_seconds(names)
    if idle is None:
        return (datetime.now(UTC) - since).total_seconds() > NEVER_BEGUN_SECONDS
    return idle > seconds
