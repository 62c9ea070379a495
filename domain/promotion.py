"""What a promotion asks for, and every objection to it at once."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.errors import Refused


@dataclass(frozen=True)
class Promotion:
    """A version on its way from one environment to the next; ``passed`` there, newest first.

    ``under_way`` says whether the release itself has not come to its end.
    """

    version: str
    source: str
    target: str
    route: tuple[str, ...]
    passed: tuple[str, ...]
    under_way: bool
    requested_by: str


def objections(asked: Promotion) -> tuple[str, ...]:
    """Why this version may not be promoted; empty means go."""
    return (
        *_off_route(asked),
        *(
            ()
            if asked.version in asked.passed
            else (f"{asked.version} has not passed in {asked.source}, it did: {_listed(asked)}",)
        ),
        *(
            (f"{asked.version} is under way: it goes along its own route",)
            if asked.under_way
            else ()
        ),
        *(
            ()
            if asked.requested_by.strip()
            else ("requested_by is empty: a promotion has a name on it",)
        ),
    )


def _off_route(asked: Promotion) -> tuple[str, ...]:
    unknown = [place for place in (asked.source, asked.target) if place not in asked.route]
    if unknown:
        known = ", ".join(asked.route)
        return tuple(f"environment is {place!r}, known are {known}" for place in unknown)
    if asked.route.index(asked.target) != asked.route.index(asked.source) + 1:
        way = " → ".join(asked.route)
        return (f"{asked.target} does not come next after {asked.source}: the route is {way}",)
    return ()


def _listed(asked: Promotion) -> str:
    return ", ".join(dict.fromkeys(asked.passed)) or "nothing"


def chosen(version: str, source: str, passed: Sequence[str]) -> str:
    """The version asked for; with none, what passed last. Refused when nothing did.

    >>> chosen("", "staging", ["2026.11.24.3", "2026.11.24.2"])
    '2026.11.24.3'
    """
    if version:
        return version
    if not passed:
        raise Refused(f"nothing has passed in {source} yet")
    return passed[0]
