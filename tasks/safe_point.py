"""Safe points: where a release under way may be held, or stopped by what began meanwhile."""

import time
from collections.abc import Callable, Sequence
from itertools import chain

from prefect import get_run_logger, task

from domain.errors import Failed, Refused, Unavailable
from domain.journal import UNTOUCHED
from tasks.deployment import Deploying
from tasks.retries import STEP

POLL_SECONDS = 1.0

Check = Callable[[], Sequence[str]]
"""What speaks against going on, one sentence each."""


def safe_point(under_way: Deploying, checks: Sequence[Check], hold_seconds: float) -> None:
    """Waits while a person holds the environment; nothing on the way back is ever held.

    Raises Refused, and closes the deployment, when something speaks against it before anything was
    touched; Failed afterwards, so that what served before serves again.
    """
    if under_way.row.kind != "release":
        return
    if _holder(under_way):
        against = wait_for_let_go(under_way, hold_seconds)
        if against:
            _stop(under_way, against)
    objections = tuple(chain.from_iterable(check() for check in checks))
    if objections:
        _stop(under_way, *objections)


@task(task_run_name="held: {under_way.environment}", **STEP)
def wait_for_let_go(under_way: Deploying, hold_seconds: float) -> str:
    """ "" once it is let go, else who still holds it after so long; the lease is kept meanwhile."""
    log, place = get_run_logger(), under_way.environment
    told, deadline = "", time.monotonic() + hold_seconds
    while holder := _still(under_way, told):
        if holder != told:
            log.warning("%s is %s; waits at most %.0f s", place, holder, hold_seconds)
        told = holder
        if time.monotonic() >= deadline:
            return f"{place} is {holder}, for {hold_seconds:.0f} s, which is the limit"
        time.sleep(POLL_SECONDS)
    log.info("%s goes on, %s", place, under_way.live.ledger.pauses.last_word(place))
    return ""


def _still(under_way: Deploying, told: str) -> str:
    """A ledger that does not answer lets nobody go."""
    try:
        return _holder(under_way)
    except Unavailable:
        return told or "held: the ledger does not answer"


def _holder(under_way: Deploying) -> str:
    return under_way.live.ledger.pauses.held_by(under_way.environment)


def _stop(under_way: Deploying, *against: str) -> None:
    if under_way.state in UNTOUCHED and not under_way.begun:
        under_way.advance("refused", "; ".join(against))
        raise Refused(*against)
    raise Failed("; ".join(against))
