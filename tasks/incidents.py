"""What the error tracker is told of a deployment; a release never depends on who hears of it."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from prefect import get_run_logger, task

from blocks.incidents.connected import Incidents
from blocks.shop import Live
from domain.errors import TradewindError
from domain.incidents.release import Commit, Cut, Deploy
from domain.journal import Release
from tasks.deployment import Deploying
from tasks.notify import run_page
from tasks.retries import STEP

MOST_COMMITS = 100


@task(task_run_name="record {under_way.row.version} in the error tracker", **STEP)
def record_release(under_way: Deploying) -> None:
    """With its commits since what served before, and a link to its page in Tradewind."""
    tracker = under_way.live.incidents
    if tracker is not None and under_way.row.kind == "release":
        told = _telling(tracker, lambda: tracker.tracker.record(_cut(under_way, tracker)))
        under_way.step("error tracker: release", told)


@task(task_run_name="record the deploy to {under_way.environment} in the error tracker", **STEP)
def record_deploy(under_way: Deploying) -> None:
    """That it serves here now."""
    tracker = under_way.live.incidents
    if tracker is not None:
        told = _telling(tracker, lambda: tracker.tracker.deployed(_deploy(under_way, tracker)))
        under_way.step("error tracker: deploy", told)


def errors_line(live: Live, release: Release) -> tuple[str, ...]:
    """Where the errors of a release are seen, as a line of its report."""
    if live.incidents is None:
        return ()
    try:
        return (f"[Its errors]({live.incidents.page(release.version)})",)
    except TradewindError as error:
        return (f"Its errors cannot be linked: {error}",)


def _telling(tracker: Incidents, tell: Callable[[], None]) -> Callable[[], Mapping[str, Any]]:
    """A step that says what became of it."""

    def told() -> Mapping[str, Any]:
        try:
            tell()
        except TradewindError as error:
            get_run_logger().warning("the error tracker was not told: %s", error)
            return {"told": False, "reasons": [str(error)]}
        return {"told": True, "without": list(tracker.tracker.cannot)}

    return told


def _cut(under_way: Deploying, tracker: Incidents) -> Cut:
    live, version = under_way.live, under_way.row.version
    forge = live.shop.forge
    return Cut(
        tracker.name(version),
        _projects(under_way, tracker),
        forge.project if forge else live.shop.shop,
        _commits(under_way),
        run_page(live, live.ledger.releases.get(version).flow_run),
    )


def _deploy(under_way: Deploying, tracker: Incidents) -> Deploy:
    row = under_way.row
    return Deploy(
        tracker.name(row.version), _projects(under_way, tracker), row.environment,
        row.created_at, datetime.now(UTC), run_page(under_way.live, row.flow_run),
    )  # fmt: skip


def _projects(under_way: Deploying, tracker: Incidents) -> tuple[str, ...]:
    """Of the services that change, each once."""
    changes = under_way.plan.changes
    of = tracker.settings.project_of
    return tuple(dict.fromkeys(of(change.service) for change in changes)) or (
        tracker.settings.project,
    )


def _commits(under_way: Deploying) -> tuple[Commit, ...]:
    releases = under_way.live.ledger.releases
    before = [change.before.version for change in under_way.plan.changes if change.before]
    older = releases.get(before[0]).commit if before else ""
    newer = releases.get(under_way.row.version).commit
    return under_way.live.repository.commits(older, newer, MOST_COMMITS if older else 1)
