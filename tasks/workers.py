"""Workers that must be alone: drained, their watermark read, handed over, proven to move on."""

from typing import Any

from prefect import task

from domain.plan import Change
from tasks.deployment import Deploying
from tasks.retries import STEP


@task(task_run_name="hand {change.service} over to {change.after.version}", **STEP)
def hand_over(under_way: Deploying, change: Change) -> None:
    """The old worker ends its pass and stands by; the new one goes on from its watermark."""
    under_way.step(f"hand over {change.service}", lambda: take_over(under_way, change))


def take_over(under_way: Deploying, change: Change) -> dict[str, Any]:
    """What ran before stands by, what comes after works; run twice, it says the same.

    Answers the watermark at which the old one stopped and the first one of the new, ISO 8601.
    Failed when the new worker does not reach the old one's watermark in time.
    """
    stopped = _stand_by(under_way, change) if change.before else None
    return {"stopped_at": stopped, "went_on_at": _work(under_way, change, stopped)}
