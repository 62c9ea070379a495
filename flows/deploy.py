"""One release into one environment: migrate, deploy, check; done, or restored by itself."""

from prefect import flow
from tasks.check import check_channels, take_baseline
from tasks.migrate import migrate
from tasks.record import conclude, opened
from tasks.retire import retire_older

from blocks.shop import open_shop
from tasks.deployment import deploying
from tasks.restore import restored_on_failure


@flow(flow_run_name="{kind} {version} → {environment}", log_prints=True)
def deploy(
    shop: str, deployment: int, version: str, environment: str, kind: str = "release"
) -> str:
    """Brings a built release into an environment; answers the deployment's final state."""
    live = open_shop(shop)
    with deploying(live, opened(live, deployment)) as under_way, restored_on_failure(under_way):
        migrate(under_way)
        take_baseline(under_way)
        candidates(under_way)
        traffic(under_way)
        workers(under_way)
        check_channels(under_way)
        conclude(under_way)
        retire_older(under_way)
    return outcome(...)
