"""Traffic: weights a slice at a time, a verdict at each, and what was seen on the way."""

from datetime import UTC, datetime
from typing import Any

from prefect import task

from domain.errors import BadRelease, Failed
from domain.plan import Change
from tasks.deployment import Deploying
from tasks.retries import STEP


def shift(under_way: Deploying, change: Change) -> None:
    """All weights of the environment in turn; where nothing served before, all traffic at once."""
    canary = under_way.declared.canary
    if canary is None or change.before is None:
        route(under_way, change, 100)
        return
    slow_ms = slow_above(under_way, change)
    for weight in canary.weights:
        route(under_way, change, weight)
        watch(under_way, change, weight, slow_ms)


@task(task_run_name="{change.service} {weight} % on {change.after.version}", **STEP)
def route(under_way: Deploying, change: Change, weight: int) -> None:
    """The candidate gets ``weight`` percent on every host; the rest stays where it was."""
    under_way.step(f"route {change.service} {weight}", lambda: _route(under_way, change, weight))


def _route(under_way: Deploying, change: Change, weight: int) -> dict[str, Any]:
    weights = {change.after.version: weight}
    if change.before is not None and weight < 100:
        weights[change.before.version] = 100 - weight
    cursors = {host.name: host.counts(change.service).cursor for host in under_way.hosts}
    for host in under_way.hosts:
        host.route(change.service, weights, under_way.epoch)
    return {"weights": weights, "cursors": cursors, "at": datetime.now(UTC).isoformat()}


@task(task_run_name="watch {change.service} at {weight} %", **STEP)
def watch(under_way: Deploying, change: Change, weight: int, slow_ms: float) -> None:
    """Looks until there is a verdict or no time is left; only *promote* goes on."""
    seen = under_way.step(
        f"watch {change.service} {weight}", lambda: _watch(under_way, change, weight, slow_ms)
    )
    what = f"{change.service} at {weight} %: {'; '.join(seen['reasons'])}"
    if seen["decision"] == "restore":
        raise BadRelease(what)
    if seen["decision"] != "promote":
        raise Failed(f"inconclusive, so not promoted: {what}")
