"""Going back by hand: what one may go back to, asked for and opened."""

from typing import Any, Literal, cast

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.input import RunInput
from pydantic import BaseModel, ConfigDict, Field, create_model

from blocks.shop import Live
from domain.errors import Refused
from domain.journal import Deployment
from domain.rollback import Candidate, Served, candidates, refusals
from tasks.deployment import manifest_of, scope_of
from tasks.recover import CHOSEN


class RollbackRequest(BaseModel):
    """Which environment goes back, and to what."""

    model_config = ConfigDict(extra="forbid")
    environment: str = Field(title="Environment")
    version: str = Field(default="", title="Back to (empty = choose from what fits)")
    reason: str = Field(default="", title="Why", max_length=500)
    requested_by: str = Field(title="Your name", max_length=100)


class Choice(RunInput):
    """What the form of candidates sends back."""

    model_config = ConfigDict(extra="forbid")
    version: str = Field(title="Back to")


@task(task_run_name="candidates for {environment}", cache_policy=NO_CACHE)
def find_candidates(live: Live, environment: str) -> tuple[Candidate, ...]:
    """Versions that served there before. Refused when there is none."""
    live.environment(environment)
    rows = [row for row in live.ledger.deployments.done(environment) if row.kind != "restore"]
    undone = _undone(live, environment)
    history = [_served(live, row, undone) for row in rows]
    found = candidates(history, live.ledger.quarantine.reasons())
    if not found:
        raise Refused(f"{environment} has nothing to go back to: {len(history)} version(s) served")
    return found


@task(task_run_name="open the way back to {version}", cache_policy=NO_CACHE)
def open_rollback(live: Live, request: RollbackRequest, version: str, flow_run: str) -> Deployment:
    """The deployment of this flow run. Refused, changing nothing, when the version does not fit."""
    against = refusals(version, request.environment, find_candidates(live, request.environment))
    if not request.requested_by.strip():
        against = (*against, "requested_by is empty: a rollback has a name on it")
    if against:
        raise Refused(*against)
    return live.ledger.deployments.open(
        version, request.environment, "rollback", flow_run, request.requested_by.strip()
    )


def choice_form(environment: str, found: tuple[Candidate, ...]) -> type[Choice]:
    """The versions that fit, as a form; the others are listed with what is against them."""
    good = tuple(one.version for one in found if not one.against)
    if not good:
        raise Refused(*(f"{one.version}: {why}" for one in found for why in one.against))
    version: Any = (Literal[good], Field(default=good[0], title="Back to"))
    form = create_model("WayBack", __base__=Choice, version=version)
    rows = "\n".join(
        f"| {one.version} | {one.served_at:%Y-%m-%d %H:%M} | {'; '.join(one.against) or 'fits'} |"
        for one in found
    )
    form._description = (
        f"## Back to which version in {environment}?\n"
        f"| Version | Served since (UTC) | |\n|---|---|---|\n{rows}"
    )
    return cast(type[Choice], form)


def _undone(live: Live, environment: str) -> range:
    """Deployments whose schema changes a restore of the database took back."""
    for row in live.ledger.deployments.done(environment):
        if row.kind == "restore":
            steps = {step.name: step.outcome for step in live.ledger.steps(scope_of(row))}
            return range(int(steps[CHOSEN]["name"].removeprefix("deployment-")), row.id)
    return range(0)


def _served(live: Live, row: Deployment, undone: range) -> Served:
    steps = {step.name: step for step in live.ledger.steps(scope_of(row))}
    migrated = None if row.id in undone else steps.get("migrate")
    breaks = tuple(migrated.outcome.get("breaks", ())) if migrated else ()
    return Served(manifest_of(live, row.version), row.created_at, breaks)
