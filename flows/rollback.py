"""Back to a version that served before: code only, with the version before kept warm."""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.flow_runs import suspend_flow_run
from prefect.states import Completed

from blocks.shop import Live, open_shop
from domain.errors import TradewindError
from flows.deploy import deploy
from tasks.ending import arrived, said
from tasks.rollback import RollbackRequest, choice_form, find_candidates, open_rollback
from tasks.runs import about_to_wait, name_run, this_run

CHOICE_SECONDS = 3600


@flow(name="rollback", flow_run_name="rollback {request.environment}", log_prints=True)
def rollback(shop: str, request: RollbackRequest) -> State[Any]:
    """With no version the run waits and offers the candidates; one that does not fit is refused."""
    live, run = open_shop(shop), this_run()
    try:
        row = live.ledger.deployments.of_flow_run(run, request.environment)
        if row is None:
            version = request.version or chosen(live, request.environment)
            row = open_rollback(live, request, version, run)
        name_run(f"rollback {request.environment} → {row.version}")
        deploy(shop, row.id, row.version, row.environment, row.kind, return_state=True)
        arrived(live, row.id)
    except TradewindError as error:
        return said(error)
    return Completed(message=f"{row.version} serves in {row.environment} again")


def chosen(live: Live, environment: str) -> str:
    """A person's choice among the versions that fit."""
    form = choice_form(environment, find_candidates(live, environment))
    about_to_wait()
    return suspend_flow_run(wait_for_input=form, timeout=CHOICE_SECONDS, key="choice").version
