"""The rollback's rehearsal: to the version before and forward again, by what a person starts."""

from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State

from blocks.shop import Live
from domain.drills.judgement import Measured
from domain.errors import Failed, Refused
from domain.journal import Deployment
from domain.plan import quarantined
from domain.report import seconds_between
from tasks.deployment import manifest_of
from tasks.drill import Drilling
from tasks.rollback import RollbackRequest, find_candidates

WAYS = "choose the versions"


@task(task_run_name="which way back in {under_way.environment}", cache_policy=NO_CACHE)
def find_ways(under_way: Drilling) -> tuple[str, str]:
    """The version to go back to, and the one that serves, to which it goes forward again.

    Refused when there is no version before, or no way forward from it.
    """
    chosen = under_way.step(WAYS, lambda: _ways(under_way.live, under_way.environment))
    return chosen["back"], chosen["forward"]


def _ways(live: Live, environment: str) -> dict[str, str]:
    found = find_candidates.fn(live, environment)
    good = [one.version for one in found if not one.against]
    if not good:
        raise Refused(*(f"{one.version}: {why}" for one in found for why in one.against))
    forward = serves(live, environment)
    bad = quarantined(manifest_of(live, forward), live.ledger.quarantine.reasons())
    if bad:
        raise Refused(*bad, f"there would be no way forward to {forward} again")
    return {"back": good[0], "forward": forward}


def serves(live: Live, environment: str) -> str:
    """The version of the last deployment that ended well."""
    done = live.ledger.deployments.done(environment)
    return next(row.version for row in done if row.kind != "restore")


def way_forward(under_way: Drilling) -> tuple[str, ...]:
    """Where a drill that was cut off has to go on to; empty when it is there."""
    chosen = under_way.outcome(WAYS)
    if not chosen or serves(under_way.live, under_way.environment) != chosen["back"]:
        return ()
    return (str(chosen["forward"]),)


def request_of(under_way: Drilling, version: str) -> RollbackRequest:
    return RollbackRequest(
        environment=under_way.environment,
        version=version,
        reason=f"drill {under_way.row.id}",
        requested_by=who(under_way),
    )


def who(under_way: Drilling) -> str:
    """Under this name the drill's rollbacks are in the ledger."""
    return f"drill {under_way.row.id} of {under_way.row.requested_by}"


def went(under_way: Drilling, version: str, ended: State[Any]) -> None:
    """Raises Failed unless that version serves now."""
    if not ended.is_completed():
        place = under_way.environment
        raise Failed(
            f"{version} does not serve in {place}, {serves(under_way.live, place)} does:"
            f" {ended.name} {ended.message}"
        )


@task(task_run_name="measure the way back", cache_policy=NO_CACHE)
def measure_ways(under_way: Drilling, back: str, forward: str) -> Measured:
    """From the ledger: how long the deployment back took, from its opening to its end."""
    rows = under_way.live.ledger.deployments.done(under_way.environment)
    own = {row.version: row for row in rows if row.requested_by == who(under_way)}
    told = {
        "back": f"{back} served after {_seconds(own[back]):.1f} s",
        "forward": f"{forward} served again after {_seconds(own[forward]):.1f} s",
    }
    return Measured(_seconds(own[back]), evidence=told)


def _seconds(row: Deployment) -> float:
    seconds = seconds_between(row.created_at, row.finished_at)
    assert seconds is not None  # it is done
    return seconds
