"""Workers that must be alone: drained, their watermark read, handed over, proven to move on."""

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from prefect import task

from domain.errors import Failed
from domain.host import unit_name
from domain.plan import Change, Serving
from tasks.deployment import Deploying
from tasks.retries import STEP

MOVE_SECONDS = 30.0
POLL_SECONDS = 0.2


def hand_over_workers(under_way: Deploying) -> None:
    """Background work moves to the candidates, worker by worker."""
    for change in under_way.plan.workers:
        hand_over(under_way, change)


@task(task_run_name="hand {change.service} over to {change.after.version}", **STEP)
def hand_over(under_way: Deploying, change: Change) -> None:
    """The old worker ends its pass and stands by; the new one goes on from its watermark."""
    under_way.step(
        f"hand over {change.service}",
        lambda: take_over(under_way, change.service, change.before, change.after),
    )


def take_over(
    under_way: Deploying, service: str, before: Serving | None, after: Serving
) -> Mapping[str, Any]:
    """What ran before stands by, what comes after works; run twice, it says the same.

    Answers the watermark at which the old one stopped and the first one of the new, ISO 8601.
    Failed when the new worker does not move beyond the old one's watermark in time.
    """
    stopped = stand_by(under_way, unit_name(service, before.version)) if before else None
    return go_on(under_way, unit_name(service, after.version), stopped)


def stand_by(under_way: Deploying, unit: str) -> str | None:
    """The worker ends its pass and stands by; answers its watermark, None when it is not there."""
    host = under_way.hosts[0]  # a worker runs on the environment's first host
    if unit not in host.observe().units:
        return None
    watermark: str | None = host.role(unit, "standby", under_way.epoch)["watermark"]
    return watermark


def go_on(under_way: Deploying, unit: str, stopped: str | None) -> Mapping[str, Any]:
    """The worker works, and has moved beyond ``stopped``."""
    under_way.hosts[0].role(unit, "working", under_way.epoch)
    return {"stopped_at": stopped, "went_on_at": _moved(under_way, unit, stopped)}


def _moved(under_way: Deploying, unit: str, stopped: str | None) -> str:
    """The new worker's watermark, once it has passed beyond the old one's."""
    deadline = time.monotonic() + MOVE_SECONDS
    while time.monotonic() < deadline:
        state = under_way.hosts[0].ask(unit, "/watermark")
        if _beyond(state["watermark"], stopped):
            return str(state["watermark"])
        time.sleep(POLL_SECONDS)
    raise Failed(
        f"{unit} did not move beyond {stopped} within {MOVE_SECONDS:.0f} s: {state.get('problem')}"
    )


def _beyond(found: str | None, stopped: str | None) -> bool:
    if found is None:
        return False
    return stopped is None or datetime.fromisoformat(found) > datetime.fromisoformat(stopped)
