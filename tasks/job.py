"""One run of a job at its scheduled time: on the host that has the schedule, once, to its end."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from prefect import task

from blocks.hosts import Host
from blocks.ledger import Journal
from blocks.shop import Live
from domain.errors import Failed, TradewindError
from domain.shop import Schedule
from tasks.retries import STEP

POLL_SECONDS = 1.0
LEASE_SECONDS = 30.0


@dataclass(frozen=True)
class Turn:
    """A job, the place it runs in, and the scheduled time, ISO 8601 in UTC."""

    environment: str
    service: str
    at: str


@task(task_run_name="run {turn.service} of {turn.at}", **STEP)
def run_job(live: Live, turn: Turn, owner: str) -> str:
    """Answers the version that ran; Failed when it ended badly, was lost, or took too long.

    The host is written down before it is asked, so that whoever asks again asks the same one, and
    the host runs a time once. Runs of one job take turns.
    """
    schedule = live.service(turn.service).schedule
    assert schedule is not None  # shop.yaml gives every job one
    name = f"job {turn.environment} {turn.service}"
    with live.ledger.exclusive(name, owner, LEASE_SECONDS, schedule.timeout_seconds) as lease:
        journal = live.ledger.journal(name, lease)
        found = JobRun(live, turn, schedule).made(journal)
    if found["state"] != "ended" or found["exit_code"] != 0:
        raise Failed(f"{turn.service}@{found['version']} of {turn.at} {_how(found)}")
    return str(found["version"])


class JobRun:
    def __init__(self, live: Live, turn: Turn, schedule: Schedule) -> None:
        self._turn = turn
        self._hosts = live.hosts(turn.environment)
        self._seconds = schedule.timeout_seconds

    def made(self, journal: Journal) -> Mapping[str, Any]:
        at = self._turn.at
        chosen = journal.once(f"{at} on", lambda: {"host": self._scheduled().name})["host"]
        (host,) = (host for host in self._hosts if host.name == chosen)
        return journal.once(f"{at} ended", lambda: self._ended(host))

    def _scheduled(self) -> Host:
        """The host whose unit has the schedule, waited for as long as a run may take."""
        deadline = time.monotonic() + self._seconds
        while True:
            for host in self._hosts:
                if self._has_schedule(host):
                    return host
            if time.monotonic() > deadline:
                raise Failed(f"no host has the schedule of {self._turn.service}")
            time.sleep(POLL_SECONDS)

    def _has_schedule(self, host: Host) -> bool:
        try:
            units = host.observe().units.values()
        except TradewindError:
            return False
        return any(unit.service == self._turn.service and unit.role == "working" for unit in units)

    def _ended(self, host: Host) -> Mapping[str, Any]:
        service, at = self._turn.service, self._turn.at
        found = host.run(service, at, self._seconds)
        deadline = time.monotonic() + self._seconds + LEASE_SECONDS
        while found["state"] == "started" and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
            found = host.run_state(service, at)
        return {**found, "host": host.name}


def _how(found: Mapping[str, Any]) -> str:
    if found["state"] == "lost":
        return f"was lost with its process on {found['host']}: nobody knows how far it came"
    if found["state"] == "ended":
        return f"ended with {found['exit_code']} on {found['host']}"
    return f"has not ended on {found['host']}"
