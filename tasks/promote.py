"""A promotion: the same digests from one environment to the next, asked for, chosen and ended."""

from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed
from pydantic import BaseModel, ConfigDict, Field

from blocks.shop import Live
from domain.errors import Refused
from domain.journal import UNTOUCHED
from domain.promotion import Promotion, chosen, objections
from tasks.ending import refuse, said
from tasks.failure import explain
from tasks.prepare import Leg
from tasks.report import report


class PromotionRequest(BaseModel):
    """From where to where, and why."""

    model_config = ConfigDict(extra="forbid")
    from_environment: str = Field(title="From environment")
    to_environment: str = Field(title="To environment")
    version: str = Field(default="", title="Version (empty = what passed there last)")
    accept_differences: bool = Field(
        default=False, title="Go on although the target lacks something or other code was tried"
    )
    reason: str = Field(default="", title="Why now", max_length=500)
    requested_by: str = Field(title="Your name", max_length=100)


@task(task_run_name="choose for {request.to_environment}", cache_policy=NO_CACHE)
def choose(live: Live, request: PromotionRequest, flow_run: str) -> Leg:
    """What is promoted; a resumed run stays with it. Refused, changing nothing, on objections."""
    known = live.ledger.deployments.of_flow_run(flow_run, request.to_environment)
    if known is not None:
        return Leg(known.version, known.environment, flow_run, known.requested_by)
    asked = _facts(live, request)
    against = objections(asked)
    if against:
        raise Refused(*against)
    return Leg(asked.version, asked.target, flow_run, asked.requested_by)


def _facts(live: Live, request: PromotionRequest) -> Promotion:
    source = request.from_environment
    live.environment(source)
    passed = tuple(row.version for row in live.ledger.deployments.done(source))
    release = live.ledger.releases.get(chosen(request.version, source, passed))
    return Promotion(
        release.version,
        source,
        request.to_environment,
        live.shop.route,
        passed,
        release.finished_at is None,
        request.requested_by.strip(),
    )


def promoted(
    live: Live, request: PromotionRequest, flow_run: str, error: Exception | None = None
) -> State[Any]:
    """Closes what was opened and not begun, reports, and answers Prefect's state."""
    row = live.ledger.deployments.of_flow_run(flow_run, request.to_environment)
    if row is None:
        return said(error or Refused("nothing was opened"))
    if row.state in UNTOUCHED:
        refuse(live, row, str(error))
    report(live, live.ledger.releases.get(row.version))
    explain(live, live.ledger.releases.get(row.version))
    if error is not None:
        return said(error)
    return Completed(
        message=f"{row.version} serves in {row.environment} as in {request.from_environment}"
    )
