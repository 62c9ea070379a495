"""What dead executors left behind: found by their lapsed leases, brought to an end, woken."""

from datetime import UTC, datetime

from prefect import task

from blocks.prefect_server import PrefectServer
from blocks.shop import Live
from domain.errors import Failed, Refused
from domain.journal import UNTOUCHED, Deployment, Release
from tasks.deployment import deploying, executor
from tasks.ending import finish, refuse
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


@task(task_run_name="close expired approvals", **STEP)
def close_expired(live: Live) -> None:
    """An approval whose time is over closes its deployment and its release; nothing was touched."""
    for row in live.ledger.deployments.unfinished():
        for approval in live.ledger.approvals.of_deployment(row.id):
            if live.ledger.approvals.expire(approval.id).decision == "expired":
                reason = f"approval {approval.id} expired at {approval.expires_at:%H:%M:%S} UTC"
                refuse(live, row, reason)
                release = live.ledger.releases.get(row.version)
                report(live, finish(live, release, Refused(reason)))


def stranded(live: Live) -> tuple[Deployment, ...]:
    """Deployments that nobody carries; a release that touched nothing goes on by its own run."""
    return tuple(
        row
        for row in live.ledger.deployments.unfinished()
        if (row.kind == "rollback" or row.state not in UNTOUCHED)
        and not live.ledger.leases.held(row.environment)
    )


@task(task_run_name="take {row.version} back from {row.environment} if cancelled", **STEP)
def take_back_cancelled(live: Live, row: Deployment) -> None:
    """A run that a person cancelled is not carried forward: what it began is taken back."""
    state = PrefectServer().state_of(row.flow_run)
    if state not in GIVEN_UP:
        return
    with deploying(live, row.id, executor(this_run())) as under_way:
        restore(under_way, Failed("its run was cancelled"))


@task(task_run_name="wake what was cut off", **STEP)
def wake_idle(live: Live) -> None:
    """Runs of unfinished releases that nobody executes start again, and go on by the ledger."""
    for release in live.ledger.releases.all():
        if release.finished_at is None and _idle(live, release):
            _wake(live, release)


def _wake(live: Live, release: Release) -> None:
    server = PrefectServer()
    state = server.state_of(release.flow_run)
    if state in GIVEN_UP:
        finish(live, release, Refused("its run was cancelled"))
    elif state in DEAD and server.starts_of(release.flow_run) < MOST_RUNS:
        server.start_again(release.flow_run)


def _idle(live: Live, release: Release) -> bool:
    """No lease of its own is held, and none was for a term."""
    rows = live.ledger.deployments.of_release(release.version)
    names = [f"release {release.version}"]
    names += [row.environment for row in rows if not row.finished]
    idle = live.ledger.leases.idle_seconds(names)
    if idle is None:
        return (datetime.now(UTC) - release.created_at).total_seconds() > NEVER_BEGUN_SECONDS
    return idle > max(live.environment(place).lease_seconds for place in release.route)
