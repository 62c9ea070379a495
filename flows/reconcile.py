"""Scheduled: closes gates that expired, takes over from dead executors, wakes their runs."""

from prefect import flow

from blocks.shop import open_shop
from flows.deploy import deploy
from tasks.stranded import close_expired, stranded, take_back_cancelled, wake_idle


@flow(name="reconcile", flow_run_name="reconcile {shop}", log_prints=True)
def reconcile(shop: str) -> None:
    """A stranded deployment is brought to its end here; its own run then goes on with its route."""
    live = open_shop(shop)
    close_expired(live)
    for row in stranded(live):
        take_back_cancelled(live, row)
        deploy(shop, row.id, row.version, row.environment, row.kind, return_state=True)
    wake_idle(live)
