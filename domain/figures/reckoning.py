"""All figures of one period: a line per environment and service, and what belongs to all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from domain.figures.cost import Cost, costs
from domain.figures.dora import Dora, dora
from domain.figures.facts import History
from domain.figures.settings import Figures
from domain.figures.spread import Spread
from domain.figures.stages import StageTime, checks, stage_times, verdicts, waits
from domain.figures.success import Success, success

DAY_SECONDS = 86_400


@dataclass(frozen=True)
class Asked:
    """What figures are made by: shop.yaml's, where releases go, and whose they are.

    ``hosts`` is how many each environment has; empty ``environments`` are all of them.
    """

    settings: Figures
    hosts: Mapping[str, int]
    services: Sequence[str]
    environments: Sequence[str] = ()


@dataclass(frozen=True)
class Line:
    """Of one environment, or of one ``service`` in it; "" is all of them together."""

    environment: str
    service: str
    dora: Dora
    success: Success


@dataclass(frozen=True)
class Reckoning:
    """``history`` is what it was made of; verdicts by environment and stage or check."""

    history: History
    agreed_percent: float
    lines: tuple[Line, ...] = ()
    stages: tuple[StageTime, ...] = ()
    verdicts: Mapping[tuple[str, str], Mapping[str, int]] = field(default_factory=dict)
    waits: Mapping[str, Spread] = field(default_factory=dict)
    costs: tuple[Cost, ...] = ()

    @property
    def days(self) -> float:
        """How long the period is."""
        return days_of(self.history)

    @property
    def overall(self) -> tuple[Line, ...]:
        """Of environments as a whole."""
        return tuple(line for line in self.lines if not line.service)


def reckoning(history: History, asked: Asked) -> Reckoning:
    """Of the environments and services that are asked for."""
    history = _only(history, asked.environments)
    steps = history.steps
    return Reckoning(
        history,
        asked.settings.success_percent,
        tuple(_line(history, *key) for key in _keys(history, asked)),
        stage_times(steps, asked.services),
        {**verdicts(steps, asked.services), **checks(history.checks)},
        waits(history.waited),
        costs(history, asked.settings.prices, asked.hosts),
    )


def _only(history: History, environments: Sequence[str]) -> History:
    """What happened in these; a release's own steps are of all of them."""
    if not environments:
        return history
    return replace(
        history,
        moved=tuple(one for one in history.moved if one.environment in environments),
        steps=tuple(one for one in history.steps if one.environment in ("", *environments)),
        waited=tuple(one for one in history.waited if one.environment in environments),
        checks={key: times for key, times in history.checks.items() if key[0] in environments},
    )


def days_of(history: History) -> float:
    """At least a second, so that a rate is one."""
    return max((history.until - history.since).total_seconds() / DAY_SECONDS, 1 / DAY_SECONDS)


def _keys(history: History, asked: Asked) -> list[tuple[str, str]]:
    """Environments in the order of shop.yaml, each followed by its services that moved."""
    known = dict.fromkeys((*asked.hosts, *sorted({one.environment for one in history.moved})))
    keys = []
    for place in known:
        there = [one for one in history.moved if one.environment == place]
        changed = {name for one in there for name in one.changes}
        whole = [(place, "")] if there else []
        keys += [*whole, *((place, name) for name in sorted(changed & {*asked.services}))]
    return keys


def _line(history: History, place: str, service: str) -> Line:
    there = [
        one
        for one in history.moved
        if one.environment == place and (not service or service in one.changes)
    ]
    return Line(place, service, dora(there, days_of(history), service), success(there))
