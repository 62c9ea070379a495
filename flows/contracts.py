"""Scheduled: what marketplaces publish of their APIs, against what our clients use of them."""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from blocks.shop import open_shop
from domain.errors import TradewindError
from tasks.contracts import ask_live, compare_all, forget_undeclared, report_contracts, tell_endings
from tasks.ending import said


@flow(name="contracts", flow_run_name="contracts {shop}", log_prints=True)
def contracts(shop: str) -> State[Any]:
    """Failed, with their names, when sources were not read; the others are written down."""
    live = open_shop(shop)
    try:
        silent = {**compare_all(live), **ask_live(live)}
        forget_undeclared(live)
        tell_endings(live)
        report_contracts(live, silent)
    except TradewindError as error:
        return said(error)
    if silent:
        return Failed(message=f"not read: {', '.join(silent)}")
    return Completed(message="every source was read")
