"""What people ask for, and every objection to it at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Asked:
    """A request for a release, as facts: what the ref is, what serves and what holds the way."""

    ref: str
    commit: str
    services: tuple[str, ...]
    route: tuple[str, ...]
    known_services: tuple[str, ...]
    known_route: tuple[str, ...]
    released_before: tuple[str, ...]
    held: Mapping[str, str]
    not_descended_from: Mapping[str, str]
    requested_by: str


def objections(asked: Asked) -> tuple[str, ...]:
    """Why this release may not be cut; empty means go. Each names what, how much and the limit."""
    return (
        *_unknown("service", asked.services, asked.known_services),
        *_unknown("environment", asked.route, asked.known_route),
        *_never_released(asked),
        *(f"{place} is held by {holder}" for place, holder in asked.held.items()),
        *(
            f"{asked.ref} ({asked.commit[:10]}) does not contain {commit[:10]},"
            f" which passed in {place}: an older state would overtake a newer one"
            for place, commit in asked.not_descended_from.items()
        ),
        *(
            ()
            if asked.requested_by.strip()
            else ("requested_by is empty: a release has a name on it",)
        ),
    )


def _unknown(what: str, given: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    return tuple(
        f"{what} is {name!r}, known are {', '.join(known)}" for name in given if name not in known
    )


def _never_released(asked: Asked) -> tuple[str, ...]:
    """A release of some services takes the others from the release before: there must be one."""
    missing = set(asked.known_services) - set(asked.services) - set(asked.released_before)
    return tuple(
        f"service {name!r} has never been released: it cannot be left out"
        for name in sorted(missing)
    )


def route_until(route: tuple[str, ...], until: str) -> tuple[str, ...]:
    """The environments up to and with ``until``; all of them when it is empty.

    >>> route_until(("staging", "production"), "staging")
    ('staging',)
    """
    if until not in route:
        return route if not until else (until,)
    return route[: route.index(until) + 1]
