"""What drills came to: how they stand, their report, and the end of a run of them."""

from datetime import UTC, datetime
from typing import Any

from prefect import task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed
from prefect.states import Failed as FailedState

from blocks.shop import Live
from domain.drills.judgement import Drill, Standing, standings
from domain.drills.page import page
from tasks.drill import declared

REPORT = "drill-report"


def standing(live: Live, environment: str) -> tuple[Standing, ...]:
    """Every kind now; nothing is due before something was deployed there."""
    done = live.ledger.deployments.done(environment)
    since = done[-1].created_at if done else None
    drills = live.ledger.drills.of_environment(environment)
    return standings(declared(live), drills, since, datetime.now(UTC))


@task(task_run_name="report drills of {environment}", cache_policy=NO_CACHE)
def report_drills(live: Live, environment: str) -> None:
    """Measured against agreed, the last times, and what is due."""
    drills, found = live.ledger.drills.of_environment(environment), standing(live, environment)
    bad = sum(one.state != "good" for one in found)
    said = f"{bad} of {len(found)} kinds are not good"
    create_markdown_artifact(page(drills, found), key=REPORT, description=said)


def came_to(found: tuple[Drill, ...]) -> State[Any]:
    """Prefect's state: Completed only when every drill passed."""
    message = "; ".join(map(_told, found)) or "nothing is left behind"
    results = {one.result for one in found}
    if "failed" in results:
        return FailedState(name="Failed", message=message)
    if "not possible" in results:
        return Completed(name="Not possible", message=message)
    return Completed(message=message)


def _told(drill: Drill) -> str:
    took = "" if drill.rto_seconds is None else f" in {drill.rto_seconds:.1f} s"
    why = f": {drill.reason}" if drill.reason else ""
    return f"{drill.kind} {drill.result}{took}{why}"
