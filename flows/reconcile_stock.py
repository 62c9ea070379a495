"""Scheduled: every hour, do stock and orders agree with every channel."""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from blocks.shop import open_shop
from domain.errors import TradewindError
from tasks.ending import said
from tasks.reconcile_stock import agreement, watched


@flow(name="reconcile-stock", flow_run_name="stock and orders of {shop}", log_prints=True)
def reconcile_stock(shop: str) -> State[Any]:
    """Completed when all agrees; *Diverged* while anything stands, *Unknown* with a blind spot."""
    live = open_shop(shop)
    try:
        found = [agreement(live, environment) for environment in watched(live)]
    except TradewindError as error:
        return said(error)
    message = "; ".join(map(str, found)) or "no environment has channels and checks"
    if any(one.wrong for one in found):
        return Failed(name="Diverged", message=message)
    if any(one.unknown for one in found):
        return Failed(name="Unknown", message=message)
    return Completed(message=message)
