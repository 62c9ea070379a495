"""The audit's head, signed and written down where it can be carried elsewhere."""

from datetime import UTC, datetime, timedelta

from prefect import get_run_logger, task

from blocks.shop import Live
from blocks.signed_heads import SignedHeads
from domain.errors import Refused
from tasks.retries import STEP

SIGNED_EVERY = timedelta(days=1)


@task(task_run_name="sign the head of the audit", **STEP)
def sign_head(live: Live) -> None:
    """Once a day; an audit that lost what was signed before is told in the log, and not signed."""
    heads, now = heads_of(live), datetime.now(UTC)
    known = heads.kept()
    if known and now - datetime.fromisoformat(known[-1].at) < SIGNED_EVERY:
        return
    try:
        heads.sign(now)
    except Refused as error:
        get_run_logger().error("the audit's head was not signed: %s", error)


def heads_of(live: Live) -> SignedHeads:
    return SignedHeads(live.shop.shop, live.state, live.ledger.audit)
