"""Scheduled: the head of a branch goes to staging, and people read in the morning how it went."""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from blocks.shop import Live, open_shop
from domain.errors import TradewindError
from domain.nightly import Head, told
from tasks.ending import said
from tasks.nightly import (
    came_to,
    find_earlier,
    find_head,
    follow_release,
    report_night,
    start_release,
)
from tasks.runs import name_run, this_run


@flow(name="nightly", flow_run_name="nightly {shop}", log_prints=True)
def nightly(shop: str) -> State[Any]:
    """Completed when the head arrived, *Unchanged* when it went before; else Failed."""
    live, run = open_shop(shop), this_run()
    try:
        head = find_head(live)
        name_run(f"nightly {head.branch} {head.commit[:10]}")
        return released(live, head, run)
    except TradewindError as error:
        return said(error)


def released(live: Live, head: Head, run: str) -> State[Any]:
    """A release of its own, started and followed; a head that went before is passed over."""
    earlier = find_earlier(live, head)
    if earlier is not None and earlier.finished_at is not None:
        sentence = f"{head.commit[:10]} is unchanged: {told(earlier)}"
        report_night(live, head, sentence, run)
        return Completed(name="Unchanged", message=sentence)
    ended = follow_release(start_release(live, head, earlier))
    sentence = came_to(live, ended)
    report_night(live, head, sentence, run)
    return Completed(message=sentence) if ended.completed else Failed(message=sentence)
