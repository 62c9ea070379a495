"""A version on its way: which environments it came to, how far, and what serves there now."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from domain.dashboard.facts import Facts, Running
from domain.journal import FORWARD, Deployment, Release

MOST_SHOWN = 4
"""Journeys in the picture; a shop with more under way has them all in its list of runs."""


@dataclass(frozen=True)
class Stop:
    """An environment of a route; ``state`` is "" while it was not reached.

    ``reached`` counts the steps of a deployment that are behind it. ``serves`` are the versions
    that customers get there now.
    """

    name: str
    hosts: int
    state: str
    reached: int
    serves: tuple[str, ...]
    flow_run: str = ""


@dataclass(frozen=True)
class Journey:
    """One version; ``release`` is None for the way back to one that was released long ago."""

    version: str
    release: Release | None
    stops: tuple[Stop, ...]

    @property
    def built(self) -> str:
        """The state of what comes before the first environment: tests and artifacts."""
        if self.release is None or self.release.state not in ("open", "refused"):
            return "built"
        if self.release.state == "open":
            return "open"
        return "built" if any(stop.state for stop in self.stops) else "refused"


def journeys(facts: Facts, hosts: Mapping[str, int], route: Sequence[str]) -> tuple[Journey, ...]:
    """Everything under way, the newest first; where nothing is, the last release.

    ``hosts`` says how many each environment has.
    """
    versions = tuple(dict.fromkeys(_under_way(facts))) or tuple(
        one.version for one in facts.releases[:1]
    )
    releases = {one.version: one for one in facts.releases}
    return tuple(
        _journey(facts, hosts, version, releases.get(version), route)
        for version in versions[:MOST_SHOWN]
    )


def is_under_way(facts: Facts) -> bool:
    return next(_under_way(facts), None) is not None


def _under_way(facts: Facts) -> Iterator[str]:
    yield from (one.version for one in facts.releases if one.finished_at is None)
    yield from (one.version for one in facts.deployments if not one.finished)


def _journey(
    facts: Facts, hosts: Mapping[str, int], version: str, release: Release | None,
    route: Sequence[str],
) -> Journey:  # fmt: skip
    moved = facts.of_version(version)
    along = [*(release.route if release else route)]
    places = [*along, *(name for name in moved if name not in along)]
    seen = [name for name in places if name in hosts]
    return Journey(version, release, tuple(_stop(facts, name, hosts[name], moved) for name in seen))


def _stop(facts: Facts, name: str, hosts: int, moved: Mapping[str, Deployment]) -> Stop:
    row = moved.get(name)
    serves = versions(facts.serving(name))
    if row is None:
        return Stop(name, hosts, "", 0, serves)
    return Stop(name, hosts, row.state, reached(row.state), serves, row.flow_run)


def reached(state: str) -> int:
    """How many of a deployment's steps are behind it; 0 on the way back.

    >>> reached("planned"), reached("done") == len(FORWARD), reached("rolling back")
    (1, True, 0)
    """
    return FORWARD.index(state) + 1 if state in FORWARD else 0


def versions(serving: Mapping[str, Running]) -> tuple[str, ...]:
    """Those that serve side by side, the one that came last first."""
    latest = sorted(serving.values(), key=lambda one: one.since, reverse=True)
    return tuple(dict.fromkeys(one.version for one in latest))
