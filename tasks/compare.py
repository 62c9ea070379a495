"""Before a promotion: hosts of both environments looked at, and every difference written down."""

from collections.abc import Mapping
from typing import Any

from prefect import task
from prefect.artifacts import create_markdown_artifact

from blocks.hosts import Host
from blocks.shop import Live
from domain.comparison import Difference, Place, Seen, comparison, differences
from domain.drift import serves
from domain.errors import Refused
from domain.journal import UNTOUCHED
from tasks.deployment import Deploying, deploying, executor
from tasks.fleet import answers, asked
from tasks.prepare import Leg, opened
from tasks.promote import PromotionRequest
from tasks.retries import STEP

COMPARISON = "comparison"
STEP_NAME = "compare hosts"


@task(task_run_name="compare {request.from_environment} with {leg.environment}", **STEP)
def compare(live: Live, leg: Leg, request: PromotionRequest) -> None:
    """Opens the deployment. Refused, for what would break it, unless the differences are accepted.

    BadInput when a reference of the target leads nowhere. Told once: a resumed run finds it in the
    ledger.
    """
    row = opened(live, leg)
    if row.state not in UNTOUCHED:
        return
    with deploying(live, row.id, executor(leg.flow_run)) as under_way:
        found = under_way.step(STEP_NAME, lambda: _compared(under_way, request))
    if found["against"] and not found["accepted_by"]:
        raise Refused(*found["against"])


def _compared(under_way: Deploying, request: PromotionRequest) -> Mapping[str, Any]:
    live, target = under_way.live, under_way.environment
    resolved(live, target)
    found = differences(
        looked_at(live, request.from_environment),
        looked_at(live, target),
        under_way.manifest,
        live.configuration,
    )
    _shown(request, found)
    return {
        "reasons": [str(one) for one in found],
        "against": [str(one) for one in found if one.refuses],
        "accepted_by": request.requested_by.strip() if request.accept_differences else "",
        "asked_because": request.reason,
    }


def resolved(live: Live, environment: str) -> None:
    """BadInput when a reference of a service there leads nowhere."""
    for service in live.shop.services:
        live.variables(environment, service)


def _shown(request: PromotionRequest, found: tuple[Difference, ...]) -> None:
    source, target = request.from_environment, request.to_environment
    create_markdown_artifact(
        comparison(source, target, found),
        key=COMPARISON,
        description=f"{target} and {source}: {len(found)} differences",
    )


def looked_at(live: Live, environment: str) -> Place:
    """Facts and serving digests of every host that answers."""
    results = asked(live.hosts(environment), _seen)
    declared = live.environment(environment).environment
    variables = {
        name: frozenset({*declared, *service.environment})
        for name, service in live.shop.services.items()
    }
    away = {one.host: one.away for one in results if one.away}
    return Place(environment, tuple(answers(results).values()), variables, away)


def _seen(host: Host) -> Seen:
    serving: dict[str, frozenset[str]] = {}
    for unit in host.observe().units.values():
        if serves(unit):
            serving[unit.service] = serving.get(unit.service, frozenset()) | {unit.digest}
    return Seen(host.facts(), serving)
