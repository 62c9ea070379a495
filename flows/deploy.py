"""One version into one environment: migrate, deploy, check; done, or restored by itself."""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from blocks.shop import Live, open_shop
from domain.errors import TradewindError
from tasks.apitests import test_apis
from tasks.begin import verify_approval
from tasks.check import check_channels, take_baseline
from tasks.conclude import conclude, retire_older
from tasks.deployment import deploying, executor
from tasks.ending import said
from tasks.errors import check_errors
from tasks.forge import report_deployment
from tasks.going import may_go_on
from tasks.incidents import record_deploy, record_release
from tasks.migrate import migrate
from tasks.place import prepare_hosts, start_candidates
from tasks.restore import restored_on_failure
from tasks.runs import shown_as_held, this_run
from tasks.traffic import shift_traffic
from tasks.workers import hand_over_workers


@flow(name="deploy", flow_run_name="{kind} {version} → {environment}", log_prints=True)
def deploy(
    shop: str, deployment: int, version: str, environment: str, kind: str = "release"
) -> State[Any]:
    """Carries an opened deployment to its end; the ledger has what it came to."""
    live = open_shop(shop)
    report_deployment(live, deployment)
    try:
        carry(live, deployment, executor(this_run()))
    except TradewindError as error:
        return said(error)
    finally:
        report_deployment(live, deployment)
    return Completed(message=f"{version} serves in {environment}")


def carry(live: Live, deployment: int, owner: str) -> None:
    """From wherever an earlier executor left it; whatever fails, the old version serves again."""
    with deploying(live, deployment, owner) as under_way, shown_as_held(under_way):
        if not under_way.begun:
            verify_approval(under_way)
            may_go_on(under_way)
        with restored_on_failure(under_way):
            prepare_hosts(under_way)
            record_release(under_way)
            may_go_on(under_way)
            migrate(under_way)
            take_baseline(under_way)
            may_go_on(under_way)
            start_candidates(under_way)
            test_apis(under_way)
            shift_traffic(under_way)
            may_go_on(under_way)
            hand_over_workers(under_way)
            check_channels(under_way)
            check_errors(under_way)
            conclude(under_way)
        record_deploy(under_way)
        retire_older(under_way)
