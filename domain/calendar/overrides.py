"""Who may lift a freeze, and when that counts."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

People = Mapping[str, Collection[str]]
"""By name, what a person may do."""

LEAST_REASON = 10
MOST_AHEAD = timedelta(hours=72)
"""An override ends soon, so that none is left over for next year's event of the same name."""


@dataclass(frozen=True)
class Override:
    """``by`` and ``second`` lift the freezes of ``events``, by name, ``until`` then."""

    by: str
    second: str
    reason: str
    until: datetime
    events: tuple[str, ...]


def may_override(
    override: Override, requested_by: str, people: People, now: datetime
) -> tuple[str, ...]:
    """Why an override does not count; empty when it does.

    Who lifts a freeze needs the permission ``override``, and a second person ``approve``; neither
    of them is who asked.
    """
    return tuple(_against(override, requested_by, people, now))


def _against(override: Override, requested_by: str, people: People, now: datetime) -> Iterator[str]:
    by, second, asked = (
        " ".join(name.split()).casefold() for name in (override.by, override.second, requested_by)
    )
    if "override" not in people.get(override.by, ()):
        yield f"by is {override.by!r}: the permission to override is needed"
    if "approve" not in people.get(override.second, ()):
        yield f"second is {override.second!r}: the permission to approve is needed"
    if len({by, second, asked}) < 3:
        names = f"{override.by!r}, {override.second!r} and {requested_by!r}"
        yield f"by, second and who asked are {names}: three people are needed"
    yield from _limits(override, now)


def _limits(override: Override, now: datetime) -> Iterator[str]:
    reason = len(" ".join(override.reason.split()))
    if reason < LEAST_REASON:
        yield f"reason has {reason} characters: at least {LEAST_REASON} are needed"
    if not now < override.until <= now + MOST_AHEAD:
        hours = (override.until - now) / timedelta(hours=1)
        limit = MOST_AHEAD // timedelta(hours=1)
        yield f"until is {hours:.1f} h from now: more than 0 h, at most {limit} h"
    if not override.events:
        yield "events is empty: at least 1 event is needed"
