"""A commit's tests without a release, as a forge's push asks for them."""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from blocks.shop import open_shop
from domain.errors import TradewindError
from tasks.ci import CiRequest, candidate, every_service
from tasks.ending import said
from tasks.runs import name_run, this_run


@flow(name="ci", flow_run_name="ci {request.ref}", log_prints=True)
def ci(shop: str, request: CiRequest) -> State[Any]:
    """Completed, or Refused with every gate that did not pass; the ledger knows nothing of it."""
    live, run = open_shop(shop), this_run()
    try:
        made = candidate(live, request, run)
        name_run(f"ci {made.commit[:10]}")
        every_service(live, made)
    except TradewindError as error:
        return said(error)
    return Completed(message=f"{made.commit[:10]}: every service's tests pass")
