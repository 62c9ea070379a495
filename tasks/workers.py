"""Background work: handed over one worker at a time, from watermark to watermark.

A worker that must be alone, and a job's schedule, are on one host: the first that is part of the
deployment. Other workers run on every host, and move host by host.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from prefect import task

from blocks.hosts import Host
from domain.errors import Failed
from domain.host import unit_name
from domain.plan import Change
from tasks.deployment import Deploying
from tasks.fleet import asked, enough
from tasks.retries import STEP

MOVE_SECONDS = 30.0
POLL_SECONDS = 0.2

Judged = Callable[[Deploying, Any], dict[str, Any]]
"""``enough`` on the way forward, ``left`` on the way back."""


def hand_over_workers(under_way: Deploying) -> None:
    """Background work moves to the candidates, service by service."""
    for change in under_way.plan.background:
        hand_over(under_way, change)


@dataclass(frozen=True)
class Silent:
    """A worker that stands by: whether it worked before, and how far it was ("" for nowhere)."""

    worked: bool
    watermark: str


@task(task_run_name="hand {change.service} over to {change.after.version}", **STEP)
def hand_over(under_way: Deploying, change: Change) -> None:
    """The old worker ends its pass and stands by; the new one goes on from its watermark."""
    under_way.step(f"hand over {change.service}", lambda: Handover(under_way, change).made(enough))


class Handover:
    """From the version before to the one after; made twice, it says the same."""

    def __init__(self, under_way: Deploying, change: Change) -> None:
        self._under_way = under_way
        self._change = change
        self._epoch = under_way.epoch
        self._old = unit_name(change.service, change.before.version) if change.before else ""
        self._new = unit_name(change.service, change.after.version)

    def made(self, judged: Judged) -> Mapping[str, Any]:
        """Per host the watermark at which the old one stopped and the first of the new, ISO 8601.

        ``judged`` says how many hosts may be away. Failed when a new worker does not move beyond
        the old one's watermark in time, or when one that must be alone may still work somewhere.
        """
        if self._change.kind == "job":
            return self._schedule_moved(judged)
        if self._under_way.live.service(self._change.service).alone:
            return self._alone(judged)
        return self._in_turn(judged)

    def _in_turn(self, judged: Judged) -> Mapping[str, Any]:
        """Host by host: most of the work goes on while one host's is handed over."""

        def moved(host: Host) -> Mapping[str, Any]:
            return self._goes_on(host, self._silenced(host).watermark)

        return judged(self._under_way, asked(self._under_way.hosts, moved, at_once=1))

    def _alone(self, judged: Judged) -> Mapping[str, Any]:
        hosts = self._under_way.hosts
        silent = judged(self._under_way, asked(hosts, self._silenced))
        away = sorted(self._under_way.missing)
        if away and self._old and not any(one.worked for one in silent.values()):
            raise Failed(f"{self._old} must be alone and may still work on {', '.join(away)}")
        first = self._under_way.hosts[0]
        return {first.name: self._goes_on(first, latest(silent.values()))}

    def _schedule_moved(self, judged: Judged) -> Mapping[str, Any]:
        """One write gives the schedule to the new version: no time is lost, none runs twice."""
        first = self._under_way.hosts[0]
        first.role(self._new, "working", self._epoch)
        judged(self._under_way, asked(self._under_way.hosts, self._silenced))
        return {first.name: {"scheduled": self._new}}

    def _silenced(self, host: Host) -> Silent:
        """The old one ends its pass and stands by, or ends when it does not answer any more."""
        unit = host.observe().units.get(self._old)
        if unit is None:
            return Silent(False, "")
        try:
            told = host.role(self._old, "standby", self._epoch)
        except Failed:
            host.retire(self._old, self._epoch)
            told = {}
        return Silent(unit.role == "working", str(told.get("watermark") or ""))

    def _goes_on(self, host: Host, stopped: str) -> Mapping[str, Any]:
        """The new one works, and has moved beyond ``stopped``."""
        host.role(self._new, "working", self._epoch)
        return {"stopped_at": stopped, "went_on_at": _moved(host, self._new, stopped)}


def latest(silent: Iterable[Silent]) -> str:
    """The watermark that is furthest; "" where there is none."""
    known = [one.watermark for one in silent if one.watermark]
    return max(known, key=datetime.fromisoformat, default="")


def _moved(host: Host, unit: str, stopped: str) -> str:
    """The new worker's watermark, once it has passed beyond the old one's."""
    deadline = time.monotonic() + MOVE_SECONDS
    while time.monotonic() < deadline:
        state = host.ask(unit, "/watermark")
        if _beyond(state["watermark"], stopped):
            return str(state["watermark"])
        time.sleep(POLL_SECONDS)
    raise Failed(
        f"{unit} did not move beyond {stopped} within {MOVE_SECONDS:.0f} s: {state.get('problem')}"
    )


def _beyond(found: str | None, stopped: str) -> bool:
    if found is None:
        return False
    return not stopped or datetime.fromisoformat(found) > datetime.fromisoformat(stopped)
