"""Drills that were cut off: what they broke is put right, and they are failed."""

from prefect import task

from blocks.ledger import Lease
from blocks.prefect_runs import start
from blocks.shop import Live
from domain.drills.judgement import gone_wrong
from tasks.drill import PUT_RIGHT, Asked, Drilling, finish, lease_name
from tasks.outage import made_whole
from tasks.recovery_drill import tidy
from tasks.retries import STEP

CUT_OFF = "it was cut off; what it had begun was put right"


def left_behind(live: Live, asked: Asked, lease: Lease) -> tuple[Drilling, ...]:
    """Those that nobody carries any more, as we have the lease of this environment's drills."""
    rows = live.ledger.drills.unfinished()
    return tuple(Drilling(live, row, lease) for row in rows if row.environment == asked.environment)


def put_back(under_way: Drilling) -> None:
    """Hosts, database and disk as they should be, and the drill ends as failed.

    Refused while a deployment is under way there, which reconcile brings to its end first.
    """
    with made_whole(under_way):
        tidy(under_way)
    finish(under_way, gone_wrong(CUT_OFF))


@task(task_run_name="take over drills that were cut off", **STEP)
def take_over_drills(live: Live) -> None:
    """A run for each environment where one was: once for every executor that died with it."""
    if live.shop.drills is None:
        return
    places = {row.environment for row in live.ledger.drills.unfinished()}
    for place in sorted(places):
        if not live.ledger.leases.held(lease_name(place)):
            _start(live, place)


def _start(live: Live, environment: str) -> None:
    shop, epoch = live.shop.shop, live.ledger.leases.epoch(lease_name(environment))
    request = {"kind": PUT_RIGHT, "environment": environment, "requested_by": "reconcile"}
    key = f"left drills of {environment} {epoch}"
    start(f"drill/{shop}", {"shop": shop, "request": request}, key)
