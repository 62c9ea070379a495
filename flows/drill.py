"""A drill: something is broken on purpose where no customers are, and put right by the clock."""

from collections.abc import Callable, Mapping
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from blocks.shop import open_shop
from domain.drills.judgement import Measured
from domain.drills.settings import Kind
from domain.errors import TradewindError
from flows.rollback import rollback
from tasks.deployment import executor
from tasks.drill import (
    Drilling,
    DrillRequest,
    begin,
    drilled,
    drilling,
    wanted,
)
from tasks.drill_report import came_to, report_drills
from tasks.ending import said
from tasks.left_drills import left_behind, put_back
from tasks.outage import end_a_host, end_services
from tasks.recovery_drill import restore_beside
from tasks.runs import name_run, this_run
from tasks.way_back import find_ways, measure_ways, request_of, way_forward, went

SCHEDULED = DrillRequest()


@flow(name="drill", flow_run_name="drill {shop}", log_prints=True)
def drill(shop: str, request: DrillRequest = SCHEDULED) -> State[Any]:
    """Completed when every drill passed, else Failed or *Not possible*; Refused changes nothing."""
    live, run = open_shop(shop), this_run()
    try:
        asked = wanted(live, request, run)
        name_run(f"drill {request.kind} in {asked.environment}")
        with drilling(live, asked, executor(run)) as lease:
            for left in left_behind(live, asked, lease):
                go_forward(left)
                put_back(left)
            found = tuple(
                drilled(begin(live, asked, kind, lease), WAYS[kind]) for kind in asked.kinds
            )
        report_drills(live, asked.environment)
    except TradewindError as error:
        return said(error)
    return came_to(found)


def there_and_back(under_way: Drilling) -> Measured:
    """By the flow that a person starts, both ways."""
    back, forward = find_ways(under_way)
    go(under_way, back)
    go(under_way, forward)
    return measure_ways(under_way, back, forward)


def go_forward(under_way: Drilling) -> None:
    """After a rehearsal that was cut off on the older version."""
    for version in way_forward(under_way):
        go(under_way, version)


def go(under_way: Drilling, version: str) -> None:
    request = request_of(under_way, version)
    ended = rollback(under_way.live.shop.shop, request, return_state=True)
    went(under_way, version, ended)


WAYS: Mapping[Kind, Callable[[Drilling], Measured]] = {
    "service": end_services,
    "host": end_a_host,
    "database": restore_beside,
    "rollback": there_and_back,
}
