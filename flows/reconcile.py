"""Scheduled: closes expired gates, takes over from dead executors, puts hosts right."""

from prefect import flow

from blocks.shop import open_shop
from flows.deploy import deploy
from tasks.answered import wake_decided
from tasks.audit import sign_head
from tasks.drift import report_drift
from tasks.hotfix import remind_back_merges
from tasks.left_drills import take_over_drills
from tasks.logs import collect_output
from tasks.make_good import start_making_good
from tasks.notify import remind_waiting, retry_undelivered, tell_ended, tell_held
from tasks.repair import repair
from tasks.stranded import (
    close_expired,
    stranded,
    take_back_cancelled,
    wake_idle,
    wake_promotions,
    wake_windows,
)


@flow(name="reconcile", flow_run_name="reconcile {shop}", log_prints=True)
def reconcile(shop: str) -> None:
    """A stranded deployment is brought to its end here; its own run then goes on with its route."""
    live = open_shop(shop)
    close_expired(live)
    left = stranded(live)
    for row in left:
        take_back_cancelled(live, row)
        deploy(shop, row.id, row.version, row.environment, row.kind, return_state=True)
    wake_idle(live)
    wake_promotions(live, left)
    wake_windows(live)
    wake_decided(live)
    start_making_good(live)
    repair(live)
    take_over_drills(live)
    report_drift(live)
    tell_held(live)
    tell_ended(live)
    remind_back_merges(live)
    remind_waiting(live)
    retry_undelivered(live)
    sign_head(live)
    collect_output(live)
