"""After a version was taken back: what it told the channels is told again, once approved."""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from blocks.shop import open_shop
from domain.errors import TradewindError
from flows.gate import decided
from tasks.deployment import executor
from tasks.ending import said
from tasks.make_good import MakeGoodRequest, prepare_making_good, tell_again
from tasks.runs import name_run, this_run


@flow(name="make-good", flow_run_name="make {request.version} good", log_prints=True)
def make_good(shop: str, request: MakeGoodRequest) -> State[Any]:
    """Ends as Completed with how many still differ (none), Refused, or as failed."""
    live, run = open_shop(shop), this_run()
    try:
        prepared = prepare_making_good(live, request, run, executor(run))
        name_run(f"make {request.version} good in {request.environment}")
        decided(live, prepared)
        message = tell_again(live, prepared.deployment, prepared.approval, executor(run))
    except TradewindError as error:
        return said(error)
    return Completed(message=message)
