"""The same digests from one environment to the next, after their hosts were compared."""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from blocks.shop import open_shop
from domain.errors import Fenced
from flows.bring import bring
from tasks.compare import compare
from tasks.promote import PromotionRequest, choose, promoted
from tasks.runs import name_run, this_run


@flow(name="promote", flow_run_name="promote to {request.to_environment}", log_prints=True)
def promote(shop: str, request: PromotionRequest) -> State[Any]:
    """Ends as Completed, Refused (nothing was changed), Restored or Halted (a person is needed)."""
    live, run = open_shop(shop), this_run()
    try:
        leg = choose(live, request, run)
        name_run(f"promote {leg.version} → {leg.environment}")
        compare(live, leg, request)
        bring(live, leg)
    except Fenced:
        raise
    except Exception as error:
        return promoted(live, request, run, error)
    return promoted(live, request, run)
