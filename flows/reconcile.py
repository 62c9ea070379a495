"""Scheduled: takes over deployments whose executor died, and closes gates that expired."""

from prefect import flow
from tasks.stranded import close_expired, find_stranded, wake

from blocks.shop import open_shop
from flows.deploy import deploy


@flow(flow_run_name="reconcile {shop}")
def reconcile(shop: str) -> None:
    """Every stranded deployment is brought to a safe end; then its own run goes on with its route."""
    live = open_shop(shop)
    close_expired(live)
    for stranded in find_stranded(live):
        deploy(shop, stranded.id, stranded.version, stranded.environment, stranded.kind)
        wake(live, stranded)
