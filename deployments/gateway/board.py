"""What the dashboard says, as rows: for its page, and the same for programs."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

from blocks.people import People
from blocks.shop import Live
from domain.access.people import Person, Signed
from domain.access.roles import allowed
from domain.calendar.freeze import Undertaking
from domain.dashboard.drawing import result
from domain.dashboard.facts import Facts, Waiting
from domain.dashboard.health import Need, needs, success
from domain.dashboard.journey import Journey, is_under_way, journeys, versions
from domain.drills.judgement import Standing
from domain.drills.settings import place_of
from domain.figures.success import Success
from domain.journal import Release, same_person
from tasks.drill_report import standing
from tasks.freeze import undertaken, warned

DAYS = 30
MOST_RELEASES = 8
RUN = "/v2/runs/flow-run/"


@dataclass(frozen=True)
class Board:
    """What one person sees: the environments that they may look at."""

    live: Live
    people: People
    who: Signed

    @cached_property
    def places(self) -> tuple[str, ...]:
        """Environments on the way to customers first."""
        shop = self.live.shop
        names = dict.fromkeys((*shop.route, *shop.environments))
        return tuple(name for name in names if self._may_view(name))

    @cached_property
    def facts(self) -> Facts:
        return self.live.ledger.overview.lately(DAYS).only(self.places)

    @cached_property
    def held(self) -> dict[str, str]:
        """By environment who stopped it, and why."""
        held_by = self.live.ledger.pauses.held_by
        return {name: said for name in self.places if (said := held_by(name))}

    @property
    def needs(self) -> tuple[Need, ...]:
        return needs(self.facts, self.held)

    @property
    def success(self) -> Success:
        return success(self.facts, DAYS)

    @property
    def agreed_percent(self) -> float:
        return self.live.shop.figures.success_percent

    @property
    def safe_percent(self) -> float | None:
        """None where nothing ended: no release is no failure, and no proof."""
        ratio = self.success.safe.ratio
        return None if ratio is None else 100 * ratio

    @cached_property
    def drills(self) -> tuple[Standing, ...]:
        """What was drilled and what is due, where one may look; none where none was agreed."""
        declared = self.live.shop.drills
        place = place_of(declared, self.live.shop.route) if declared else ""
        return standing(self.live, place) if place in self.places else ()

    @property
    def moving(self) -> bool:
        """Whether anything is under way."""
        return is_under_way(self.facts)

    @property
    def journeys(self) -> tuple[Journey, ...]:
        hosts = {name: len(self.live.shop.environments[name].hosts) for name in self.places}
        return journeys(self.facts, hosts, self.live.shop.route)

    def environments(self) -> Iterator[dict[str, Any]]:
        """One row each."""
        for name in self.places:
            serving = self.facts.serving(name)
            yield {
                "name": name,
                "hosts": len(self.live.shop.environments[name].hosts),
                "versions": versions(serving),
                "since": max((one.since for one in serving.values()), default=None),
                "held": self.held.get(name, ""),
                "calendar": warned(self.live, self._release(name)),
            }

    def services(self) -> Iterator[dict[str, Any]]:
        """One row each; a place where it does not serve is None."""
        serving = {name: self.facts.serving(name) for name in self.places}
        found = {service for there in serving.values() for service in there}
        declared = [*self.live.shop.services, *sorted(found - {*self.live.shop.services})]
        for service in declared:
            there = {name: serving[name].get(service) for name in self.places}
            yield {"name": service, "places": there}

    def gates(self) -> Iterator[dict[str, Any]]:
        """What waits for an answer, and who may give it."""
        everybody = self.people.all() if self.facts.waiting else ()
        for one in self.facts.waiting:
            declared = self.live.environment(one.deployment.environment)
            limit = timedelta(seconds=declared.approval_timeout_seconds)
            yield {
                "version": one.deployment.version,
                "environment": one.deployment.environment,
                "requested_by": one.approval.requested_by,
                "asked_at": one.approval.expires_at - limit,
                "closes_at": one.approval.expires_at,
                "people": [person.name for person in everybody if self._may_answer(person, one)],
                "quorum": declared.approvals.quorum,
                "run": one.deployment.flow_run,
            }

    def releases(self) -> Iterator[dict[str, Any]]:
        """The last ones."""
        for one in self.facts.releases[:MOST_RELEASES]:
            yield {
                "version": one.version,
                "state": one.state,
                "result": _result(one),
                "requested_by": one.requested_by,
                "reason": one.reason,
                "outcome": one.outcome,
                "created_at": one.created_at,
                "run": one.flow_run,
            }

    def told(self) -> dict[str, Any]:
        """All of it, for programs."""
        return {
            "at": self.facts.now,
            "needs": [asdict(one) for one in self.needs],
            "success": {**asdict(self.success), "safe_percent": self.safe_percent,
                        "agreed_percent": self.agreed_percent, "days": DAYS},
            "under_way": [one.version for one in self.journeys] if self.moving else [],
            "environments": list(self.environments()),
            "services": list(self.services()),
            "gates": list(self.gates()),
            "drills": [
                {"kind": one.kind, "state": one.state, "due_at": one.due_at, "said": one.said}
                for one in self.drills
            ],
            "releases": list(self.releases()),
        }  # fmt: skip

    def _may_view(self, name: str) -> bool:
        """Of any service: Prefect's pages show no less."""
        return any(self.who.may("view", name, (one,)) for one in self.live.shop.services)

    def _may_answer(self, person: Person, one: Waiting) -> bool:
        own = same_person(person.name, one.approval.requested_by)
        place, services = one.deployment.environment, self._services_of(one.deployment.version)
        return (
            not own and not person.disabled and allowed(person.grants, "approve", place, services)
        )

    def _services_of(self, version: str) -> tuple[str, ...]:
        known = {release.version: release.services for release in self.facts.releases}
        return known.get(version, tuple(self.live.shop.services))

    def _release(self, name: str) -> Undertaking:
        return undertaken(self.live, "release", name, tuple(self.live.shop.services))


def _result(release: Release) -> str:
    return "moving" if release.finished_at is None else result(release.state)
