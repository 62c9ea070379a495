"""The way back: traffic first, then everything else, driven by what the ledger says was done."""

from collections.abc import Iterator
from contextlib import contextmanager

from prefect import get_run_logger, task

from domain.errors import BadRelease, Fenced, Halted
from domain.plan import Change, reversed_plan
from tasks.deployment import Deploying
from tasks.retries import RESTORATION
from tasks.traffic import send_all
from tasks.workers import take_over


@contextmanager
def restored_on_failure(under_way: Deploying) -> Iterator[None]:
    """Whatever fails inside, the old version serves again; Halted when even that fails.

    A lost lease restores nothing: somebody else has the environment now. A deployment that an
    earlier executor began to take back is never carried forward again.
    """
    try:
        under_way.only_forward()
        yield
    except Fenced:
        raise
    except Exception as cause:
        get_run_logger().error("%s", cause)
        restore(under_way, cause)


def restore(under_way: Deploying, cause: Exception) -> None:
    """Back to what served before, step by step; the reason stays in the ledger."""
    under_way.advance("rolling back", str(cause))
    try:
        go_back(under_way)
    except Exception as second:
        under_way.advance("halted", f"{cause}; restoring failed too: {second}")
        raise Halted(f"{cause}; restoring failed too: {second}; a person is needed") from second
    if isinstance(cause, BadRelease):
        quarantine(under_way, str(cause))
    under_way.advance("rolled back", str(cause))


def go_back(under_way: Deploying) -> None:
    """Every change whose candidate was started is undone, customers first."""
    back = reversed_plan(under_way.plan)
    for change in back.web:
        give_back_traffic(under_way, change)
    for change in back.workers:
        give_back_work(under_way, change)
    for change in under_way.plan.changes:
        withdraw(under_way, change)


@task(task_run_name="give traffic back to {change.service} {change.after.version}", **RESTORATION)
def give_back_traffic(under_way: Deploying, change: Change) -> None:
    """All of a web service's traffic on the version that served before."""
    under_way.restoration(f"traffic back {change.service}", lambda: send_all(under_way, change))


@task(task_run_name="give work back to {change.service} {change.after.version}", **RESTORATION)
def give_back_work(under_way: Deploying, change: Change) -> None:
    """The worker that ran before works again, from the watermark the bad one left."""
    under_way.restoration(f"work back {change.service}", lambda: take_over(under_way, change))
