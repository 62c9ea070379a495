"""Candidates: the new versions beside the old ones, healthy and tried before they get anything."""

from collections.abc import Mapping
from typing import Any

from prefect import task

from domain.errors import BadRelease, Failed
from domain.host import unit_name
from domain.plan import Change
from tasks.deployment import Deploying
from tasks.retries import STEP


def start_candidates(under_way: Deploying) -> None:
    """Every changed service runs beside its old version; workers stand by."""
    for change in under_way.plan.changes:
        start(under_way, change)
    under_way.advance("candidate up")


@task(task_run_name="start {change.service} {change.after.version}", **STEP)
def start(under_way: Deploying, change: Change) -> None:
    """Placed by its digest, started, healthy, and its pages tried through the proxy."""
    under_way.step(f"start {change.service}", lambda: _started(under_way, change))


def _started(under_way: Deploying, change: Change) -> Mapping[str, Any]:
    place(under_way, change)
    name = unit_name(change.service, change.after.version)
    health = under_way.live.service(change.service).health
    for host in under_way.hosts:
        try:
            host.health(name, health.path, health.timeout_seconds)
        except Failed as error:
            raise BadRelease(str(error)) from error
    _try_pages(under_way, change)
    return {"unit": name}


def place(under_way: Deploying, change: Change) -> None:
    """The unit is there and runs; a worker stands by until it is handed the work."""
    path = under_way.live.artifacts.path(change.after.digest)
    role = "working" if change.kind == "web" else "standby"
    for host in under_way.hosts:
        host.receive(change.after.digest, path, under_way.epoch)
        host.start(under_way.unit(change), role, under_way.epoch)


def _try_pages(under_way: Deploying, change: Change) -> None:
    pages = under_way.live.service(change.service).smoke
    if change.kind != "web" or not pages:
        return
    for host in under_way.hosts:
        statuses = host.smoke(change.service, change.after.version, pages)
        bad = [f"{page} answered {status}" for page, status in statuses.items() if status != 200]
        if bad:
            raise BadRelease(f"{change.service} {change.after.version}: {'; '.join(bad)}")
