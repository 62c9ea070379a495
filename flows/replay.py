"""One stage of a version once more, in debug mode, where no customer is."""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from blocks.shop import open_shop
from domain.errors import TradewindError
from tasks.deployment import executor
from tasks.ending import said
from tasks.replay import ReplayRequest, admitted, concluded, replayed
from tasks.runs import this_run


@flow(name="replay", flow_run_name="replay {request.stage} of {request.version}", log_prints=True)
def replay(shop: str, request: ReplayRequest) -> State[Any]:
    """Ends as Completed (it works now), FailedAgain, or Refused; what serves stays as it is."""
    live, run = open_shop(shop), this_run()
    try:
        asked = admitted(live, request)
        return concluded(asked, replayed(live, asked, executor(run)))
    except TradewindError as error:
        return said(error)
