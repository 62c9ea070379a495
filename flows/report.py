"""Scheduled: every week, how fast and how safe releases were, and what they cost."""

from datetime import UTC, datetime
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from blocks.shop import open_shop
from domain.errors import TradewindError
from tasks.ending import said
from tasks.runs import this_run
from tasks.weekly import report_week, say, tell_week


@flow(name="weekly-report", flow_run_name="the week of {shop}", log_prints=True)
def weekly_report(shop: str) -> State[Any]:
    """Completed with the week in a sentence; the report is an artifact."""
    live, until = open_shop(shop), datetime.now(UTC)
    try:
        sentence = say(live, until)
        report_week(live, until, sentence)
        tell_week(live, sentence, this_run())
    except TradewindError as error:
        return said(error)
    return Completed(message=sentence)
