"""A database back to a backup: two people, nobody writing, the orders since carried over."""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from blocks.shop import open_shop
from domain.errors import TradewindError
from flows.gate import decided
from tasks.deployment import executor
from tasks.ending import arrived, said
from tasks.recover import RestoreRequest, prepare_restore, recover
from tasks.runs import name_run, this_run


@flow(name="restore", flow_run_name="restore {request.environment}", log_prints=True)
def restore(shop: str, request: RestoreRequest) -> State[Any]:
    """Never by itself. Ends as Completed, Refused, Restored (as it was) or Halted."""
    live, run = open_shop(shop), this_run()
    try:
        prepared = prepare_restore(live, request, run, executor(run))
        row = prepared.deployment
        name_run(f"restore {row.environment}")
        decided(live, prepared)
        recover(live, row.id, executor(run))
        arrived(live, row.id)
    except TradewindError as error:
        return said(error)
    return Completed(message=live.ledger.deployments.get(row.id).reason)
