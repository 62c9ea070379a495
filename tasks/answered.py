"""Runs and the approvals they wait for: which run asks what, and waking those that are answered."""

from contextlib import suppress
from uuid import UUID

from prefect import task

from blocks import prefect_runs as runs
from blocks.prefect_server import PrefectServer
from blocks.shop import Live
from domain.errors import Refused
from domain.journal import Approval
from tasks.make_good import run_waiting
from tasks.retries import STEP

WAKES = {"decision": "approve now", "decided_by": "tradewind", "reason": "decided in the ledger"}
"""The form is filled in so that the server takes it; what counts is in the ledger by then."""


def waiting_at(live: Live, flow_run: str) -> Approval | None:
    """The open approval that a suspended run waits for; None when it waits for none."""
    open_ones = live.ledger.approvals.waiting()
    return next((one for one in open_ones if _run_of(live, one) == flow_run), None)


@task(task_run_name="wake what was answered", **STEP)
def wake_decided(live: Live) -> None:
    """Runs that still sleep although the last answer came, as when it came while they went to bed.

    One whose window has not begun sleeps on.
    """
    now = live.ledger.approvals.now()
    asking = {_run_of(live, one) for one in live.ledger.approvals.waiting()}
    for approval in live.ledger.approvals.decided_lately():
        run = _run_of(live, approval)
        if not approval.too_early(now) and run not in asking and _sleeps(run):
            with suppress(Refused):  # it woke meanwhile
                runs.answer(UUID(run), {**WAKES, "plan": approval.plan_digest})


def _run_of(live: Live, approval: Approval) -> str:
    return run_waiting(live, live.ledger.deployments.get(approval.deployment), approval)


def _sleeps(run: str) -> bool:
    return PrefectServer().state_of(run) == "PAUSED"
