"""Cut a release: resolve the ref to a commit, collect every objection, number it."""

from datetime import UTC, datetime

from prefect import task
from prefect.cache_policies import NO_CACHE
from pydantic import BaseModel, ConfigDict, Field

from blocks.ledger import Cut
from blocks.shop import Live
from domain.contracts.findings import objections as broken_contracts
from domain.errors import Refused
from domain.journal import Release
from domain.request import Asked, objections, route_until
from tasks.forge import protection_evidence
from tasks.freeze import frozen_at_cut


class ReleaseRequest(BaseModel):
    """What to release, how far, and why."""

    model_config = ConfigDict(extra="forbid")
    ref: str = Field(default="main", title="Branch, tag or commit", max_length=200)
    services: list[str] = Field(default=[], title="Services", description="None: all of them.")
    until: str = Field(default="", title="Last environment", description="None: the whole route.")
    reason: str = Field(default="", title="Why now", max_length=500)
    requested_by: str = Field(title="Your name", max_length=100)


@task(task_run_name="cut {request.ref}", cache_policy=NO_CACHE)
def cut(live: Live, request: ReleaseRequest, flow_run: str) -> Release:
    """The release of this flow run, with its number; Refused, changing nothing, on objections."""
    known = live.ledger.releases.of_flow_run(flow_run)
    if known is not None:
        return known
    asked = facts(live, request)
    stops = broken_contracts(live.ledger.findings.all())
    frozen = frozen_at_cut(live, asked, "release")
    return opened(live, asked, request.reason, flow_run, (*objections(asked), *stops, *frozen))


def opened(
    live: Live, asked: Asked, reason: str, flow_run: str, against: tuple[str, ...]
) -> Release:
    """The ledger has it from now on, with the next number of the day.

    Refused when anything speaks ``against`` it, or the forge does not confirm the commit, whose
    answer is kept.
    """
    now = datetime.now(UTC)
    unconfirmed, evidence = protection_evidence(live, asked.commit, asked.ref, asked.route, now)
    held = _held_still(live, asked.route)
    if against or unconfirmed or held:
        raise Refused(*against, *unconfirmed, *held)
    made_of = Cut(
        flow_run,
        asked.ref,
        asked.commit,
        live.repository.committed_at(asked.commit),
        asked.requested_by.strip(),
        reason,
        asked.services,
        asked.route,
        evidence,
    )
    return live.ledger.releases.open(made_of, now.date())


def facts(live: Live, request: ReleaseRequest) -> Asked:
    """What the request means now: the commit, who has the way, what it would leave behind."""
    commit = live.repository.resolve(request.ref)
    route = route_until(live.shop.route, request.until)
    known = [place for place in route if place in live.shop.environments]
    return Asked(
        ref=request.ref,
        commit=commit,
        services=tuple(request.services) or tuple(live.shop.services),
        route=route,
        known_services=tuple(live.shop.services),
        known_route=live.shop.route,
        released_before=tuple(live.ledger.deployments.serving(route[0])),
        held=_held(live, known),
        not_descended_from=_left_behind(live, known, commit),
        requested_by=request.requested_by,
    )


def _held_still(live: Live, route: tuple[str, ...]) -> tuple[str, ...]:
    """Environments that a person stopped: nothing new goes there."""
    held_by = live.ledger.pauses.held_by
    return tuple(f"{place} is {said}" for place in route if (said := held_by(place)))


def _held(live: Live, route: list[str]) -> dict[str, str]:
    return {
        row.environment: f"{row.version} ({row.state} since {row.created_at:%Y-%m-%d %H:%M} UTC)"
        for row in live.ledger.deployments.unfinished()
        if row.environment in route
    }


def _left_behind(live: Live, route: list[str], commit: str) -> dict[str, str]:
    """Per environment the commit that passed there last and that this one does not contain."""
    passed = {place: _passed(live, place) for place in route}
    return {
        place: older
        for place, older in passed.items()
        if older and not live.repository.is_ancestor(older, commit)
    }


def _passed(live: Live, environment: str) -> str:
    """The commit of the last release that ended well; one restored later on does not count.

    Before the last environment neither does one that was not meant for customers, as a nightly's.
    """
    last = live.shop.route[-1]
    for row in live.ledger.deployments.done(environment):
        release = live.ledger.releases.get(row.version)
        if release.state == "released" and last in (environment, release.route[-1]):
            return release.commit
    return ""
