"""Candidates: the new versions beside the old ones, healthy and tried before they get anything."""

from collections.abc import Mapping
from typing import Any

from prefect import task

from blocks.hosts import Host
from blocks.shop import Live
from domain.errors import BadRelease, Failed, Unavailable
from domain.host import unit_name
from domain.plan import Change
from tasks.deployment import FIRST_STEP, Deploying, parcel_of, unit_of
from tasks.fleet import everywhere_shown
from tasks.retries import STEP


@task(task_run_name="prepare hosts of {under_way.environment}", **STEP)
def prepare_hosts(under_way: Deploying) -> None:
    """Every host answers, with supervisord and its proxy; below the quorum nothing begins."""

    def prepared() -> Mapping[str, Any]:
        ready = everywhere_shown(under_way, "prepare", _prepared)
        return {"hosts": list(ready)}

    under_way.step(FIRST_STEP, prepared)


def _prepared(host: Host) -> bool:
    host.prepare()
    return True


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
    candidate = Candidate(under_way.live, under_way.environment, change, under_way.epoch)
    sent = everywhere_shown(under_way, f"start {candidate.name}", candidate.ready_on)
    return {"unit": candidate.name, "sent_bytes": sent}


class Candidate:
    """One service's new version, on its way onto hosts."""

    def __init__(self, live: Live, environment: str, change: Change, epoch: int) -> None:
        self.name = unit_name(change.service, change.after.version)
        self._service = live.service(change.service)
        self._change = change
        self._epoch = epoch
        self._parcel = parcel_of(live, change.service, change.after)
        self._unit = unit_of(live, environment, change.service, change.after)

    def ready_on(self, host: Host) -> int:
        """Healthy there, and its pages tried; answers the bytes that had to be sent."""
        sent = self.run_on(host)
        self._prove(host)
        return sent

    def run_on(self, host: Host) -> int:
        """The unit is there and runs; a worker stands by until it is handed the work.

        A host that cannot take it, its disk being full, is as good as away.
        """
        try:
            sent = host.place(self._parcel, self._epoch)
        except Failed as error:
            raise Unavailable(str(error)) from error
        role = "working" if self._change.kind == "web" else "standby"
        host.start(self._unit, role, self._epoch)
        return sent

    def _prove(self, host: Host) -> None:
        health = self._service.health
        if self._change.kind == "job":
            return
        try:
            host.health(self.name, health.path, health.timeout_seconds)
        except Failed as error:
            raise BadRelease(str(error)) from error
        self._try_pages(host)

    def _try_pages(self, host: Host) -> None:
        pages = self._service.smoke
        if self._change.kind != "web" or not pages:
            return
        statuses = host.smoke(self._change.service, self._change.after.version, pages)
        bad = [f"{page} answered {status}" for page, status in statuses.items() if status != 200]
        if bad:
            raise BadRelease(f"{self.name} on {host.name}: {'; '.join(bad)}")
