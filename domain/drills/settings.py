"""What ``shop.yaml`` says of drills: which, how often, what was agreed, and what follows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal, get_args

from domain.fields import STRICT, Range, Seconds

Kind = Literal["service", "host", "database", "rollback"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Rule = Literal["warn", "refuse"]
KEY = "%(key)s"


@dataclass(frozen=True)
class Agreed:
    """How long customers may wait until it works again, and how much work may be lost (seconds)."""

    __pydantic_config__ = STRICT
    rto_seconds: Annotated[float, Range(0.001, 604_800)]
    rpo_seconds: Annotated[float, Range(0, 604_800)] = 0


USUAL: Mapping[Kind, Agreed] = {
    "service": Agreed(60),
    "host": Agreed(300),
    "database": Agreed(1800),
    "rollback": Agreed(300),
}
"""Where shop.yaml agrees nothing else."""


@dataclass(frozen=True)
class Marker:
    """An order of the drill's own: how it is written, found again, and taken away.

    Each names it by ``%(key)s``, a text that is another one every time.
    """

    __pydantic_config__ = STRICT
    write: str
    find: str
    remove: str


@dataclass(frozen=True)
class Drills:
    """Drills at ``cron`` in ``time_zone``, in ``environment`` ("": the route's first).

    A kind that did not pass for ``overdue_days``, or failed last, makes the last environment of the
    route warn or refuse. ``limit_seconds`` is how long a drill waits for anything.
    """

    __pydantic_config__ = STRICT
    environment: str = ""
    cron: str = "0 9 1 1,4,7,10 *"
    time_zone: str = "UTC"
    kinds: tuple[Kind, ...] = KINDS
    agreed: Mapping[Kind, Agreed] = field(default_factory=dict)
    overdue_days: Annotated[int, Range(1, 3660)] = 100
    overdue: Rule = "warn"
    failed: Rule = "warn"
    limit_seconds: Seconds = 120
    marker: Marker | None = None


def agreed_of(drills: Drills, kind: Kind) -> Agreed:
    return drills.agreed.get(kind, USUAL[kind])


def place_of(drills: Drills, route: tuple[str, ...]) -> str:
    """The environment of the drills; "" where the route has none to spare for them."""
    return drills.environment or next(iter(route[:-1]), "")


def objections(
    drills: Drills, route: tuple[str, ...], migrated: bool
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each with the place it speaks of."""
    place = place_of(drills, route)
    where = ("drills", "environment")
    if place not in route[:-1]:
        known = ", ".join(route[:-1]) or "none"
        said = f"drills.environment is {place!r}, the route has before its last: {known}"
        yield where, said
    if not drills.kinds:
        yield ("drills", "kinds"), f"drills.kinds is empty, known are {', '.join(KINDS)}"
    if len(set(drills.kinds)) < len(drills.kinds):
        shown = ", ".join(drills.kinds)
        yield ("drills", "kinds"), f"drills.kinds is {shown}: a kind may stand there once"
    yield from _marker(drills.marker, migrated)


def _marker(marker: Marker | None, migrated: bool) -> Iterator[tuple[tuple[str, ...], str]]:
    if marker is None:
        return
    if not migrated:
        yield ("drills", "marker"), "drills.marker is given, migrations is missing"
    for name, text in vars(marker).items():
        if KEY not in text:
            field_name = f"drills.marker.{name}"
            yield ("drills", "marker", name), f"{field_name} is {text[:60]!r}: it must name {KEY}"
