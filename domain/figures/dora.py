"""DORA's five: how often, how soon, how many fail, how long until it is well, how much is rework.

By DORA's definitions of 2025. Lead time runs from the commit to where it serves. A deployment
failed when it met customers and had to be taken back, by Tradewind or by a person, or be mended by
a hotfix; recovery runs from when customers could first meet it. Rework is a deployment that was
not planned: a hotfix, a way back, a database put back.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.figures.facts import Moved
from domain.figures.proof import Share
from domain.figures.spread import Spread, spread


@dataclass(frozen=True)
class Dora:
    """Of one environment, or of one service in it; ``ill`` failed and nothing has mended them."""

    deployments: int
    per_week: float
    lead: Spread
    failed: Share
    recovery: Spread
    ill: int
    rework: Share


@dataclass(frozen=True)
class Failure:
    """A deployment that failed, and how many seconds it took until all was well; None: not yet."""

    moved: Moved
    seconds: float | None


def dora(moved: Sequence[Moved], days: float, service: str = "") -> Dora:
    """Of deployments of one environment that ended within ``days``, in any order."""
    ended = _of_service(moved, service)
    done = [one for one in ended if one.state == "done"]
    bad = failures(ended, service)
    released = sum(one.kind == "release" for one in done)
    return Dora(
        deployments=released,
        per_week=7 * released / days,
        lead=spread(seconds for _, seconds in leads(ended)),
        failed=Share(len(bad), sum(one.met_customers for one in ended)),
        recovery=spread(one.seconds for one in bad if one.seconds is not None),
        ill=sum(one.seconds is None for one in bad),
        rework=Share(sum(not one.planned for one in done), len(done)),
    )


def leads(moved: Sequence[Moved]) -> Iterator[tuple[datetime, float]]:
    """When each version first served, and how many seconds after its commit."""
    seen: set[tuple[str, str]] = set()
    for one in sorted(moved, key=lambda one: one.id):
        key = (one.environment, one.version)
        if one.state == "done" and one.kind == "release" and key not in seen and one.finished_at:
            seen.add(key)
            yield one.finished_at, (one.finished_at - one.committed_at).total_seconds()


def failures(moved: Sequence[Moved], service: str = "") -> tuple[Failure, ...]:
    """Those that failed, of one environment, the oldest first."""
    ordered = sorted(moved, key=lambda one: one.id)
    ends = dict(_taken_back(ordered, service))
    return tuple(
        Failure(one, _until_well(one, ordered, ends.get(one.id)))
        for one in ordered
        if one.met_customers and (one.state != "done" or one.id in ends)
    )


def _taken_back(ordered: Sequence[Moved], service: str) -> Iterator[tuple[int, Moved]]:
    """Number of each deployment that served, with what mended it first."""
    done = [one for one in ordered if one.state == "done"]
    for number, mending in reversed(list(enumerate(done))):
        if not mending.planned:
            earlier = (one for one in reversed(done[:number]) if _mends(mending, one, service))
            failed = next(earlier, None)
            if failed is not None:
                yield failed.id, mending


def _mends(mending: Moved, earlier: Moved, service: str) -> bool:
    """A database is put back because of the last; anything else takes the place of what it was."""
    if mending.kind == "restore":
        return True
    shared = mending.changes.keys() & earlier.changes.keys()
    return any(
        mending.changes[name][0] == earlier.changes[name][1]
        for name in shared
        if service in ("", name)
    )


def _until_well(one: Moved, ordered: Sequence[Moved], mended_by: Moved | None) -> float | None:
    begun = one.exposed_at or one.created_at
    if one.state == "rolled back":
        end = one.finished_at
    elif one.state == "halted":
        after = (later for later in ordered if later.id > one.id and later.state == "done")
        end = next((later.finished_at for later in after), None)
    else:
        end = mended_by.finished_at if mended_by else None
    return (end - begun).total_seconds() if end else None


def _of_service(moved: Sequence[Moved], service: str) -> list[Moved]:
    ended = (one for one in moved if one.finished_at is not None)
    return [one for one in ended if not service or service in one.changes]
