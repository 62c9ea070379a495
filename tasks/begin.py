"""Before the first change: whether a person approved the whole, proven once more."""

from datetime import UTC, datetime

from prefect import task

from domain.errors import Refused
from tasks.deployment import Deploying
from tasks.retries import STEP
from tasks.schema import Change, plan_change, plan_digest
from tasks.statements import verified


@task(task_run_name="verify the approval of {under_way.row.version}", **STEP)
def verify_approval(under_way: Deploying) -> None:
    """Where every release needs one. A Refused one is closed: nothing was changed.

    Resuming a flow is only a wake-up: the ledger says whether somebody approved this plan.
    """
    if under_way.row.kind != "release" or not under_way.approved_as_a_whole:
        return
    try:
        approved(under_way, plan_change(under_way), begun=False)
    except Refused as refusal:
        under_way.advance("refused", str(refusal))
        raise


def approved(under_way: Deploying, change: Change, *, begun: bool) -> None:
    """Refused unless this very plan is approved, and for now where nothing has ``begun``."""
    found = verified(under_way.live, under_way.row.id, plan_digest(under_way, change))
    now = datetime.now(UTC)
    if not begun and (found.too_early(now) or found.too_late(now)):
        raise Refused(
            f"approval {found.id} is for {found.begins_at:%F %R} to {found.ends_at:%F %R} UTC"
        )
