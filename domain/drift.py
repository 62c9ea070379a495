"""Drift: what runs on every host against what should, by the ledger and by shop.yaml."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from domain.host import Observed, Running
from domain.plan import Serving
from domain.report import cell


@dataclass(frozen=True)
class Expected:
    """What should be in one environment.

    ``serving`` and ``warm`` (the version before, kept for the way back) are the ledger's; ``kinds``
    and ``alone`` are shop.yaml's services; a host has seen ``epoch`` if it took part in the last
    deployment; ``configuration`` is the digest of shop.yaml.
    """

    environment: str
    serving: Mapping[str, Serving]
    warm: Mapping[str, Serving]
    kinds: Mapping[str, str]
    alone: frozenset[str]
    epoch: int
    configuration: str


@dataclass(frozen=True)
class Found:
    """What is there: each host, or why it cannot be seen; by which shop.yaml it was deployed."""

    hosts: Mapping[str, Observed | str]
    configuration: str


@dataclass(frozen=True)
class Drift:
    """One thing that is not as it should be; ``host`` is "" where it is about all of them."""

    environment: str
    host: str
    service: str
    what: str
    found: str
    expected: str


def drift(expected: Expected, found: Found) -> tuple[Drift, ...]:
    """Everything that differs, host by host, then what is about the whole environment."""
    place = expected.environment
    return (
        *(
            Drift(place, name, *one)
            for name, host in found.hosts.items()
            for one in _of_host(expected, host)
        ),
        *(Drift(place, "", *one) for one in _of_environment(expected, found)),
    )


Finding = tuple[str, str, str, str]
"""Service, what, found, expected."""


def serves(unit: Running) -> bool:
    """Whether a unit has customers or does the work."""
    return unit.weight > 0 if unit.kind == "web" else unit.role == "working"


def warm(
    serving: Mapping[str, Serving], previous: Sequence[Mapping[str, Mapping[str, str]]]
) -> dict[str, Serving]:
    """The version that stays beside each service's serving one: what was replaced last.

    ``previous`` is what served before each done deployment, newest first.
    """
    kept: dict[str, Serving] = {}
    for before in previous:
        for service, record in before.items():
            now = serving.get(service)
            if now is not None and record["version"] != now.version:
                kept.setdefault(service, Serving(**record))
    return kept


def _of_host(expected: Expected, host: Observed | str) -> Iterator[Finding]:
    if isinstance(host, str):
        yield "", "host", host, "an answer"
        return
    if host.epoch < expected.epoch:
        yield "", "epoch", str(host.epoch), f"{expected.epoch} or above"
    for name, serving in expected.serving.items():
        if name in expected.kinds:
            yield from _service(expected, name, serving, host)
    for unit in host.units.values():
        yield from _unit(expected, unit)


def _service(
    expected: Expected, service: str, serving: Serving, host: Observed
) -> Iterator[Finding]:
    """Every host has the serving version, with all of the traffic or doing the work."""
    units = {unit.version: unit for unit in host.units.values() if unit.service == service}
    if serving.version not in units:
        yield service, "unit", "absent", serving.version
    if expected.kinds[service] == "web":
        yield from _traffic(service, serving, units)
    else:
        yield from _work(expected, service, serving, units)


def _traffic(service: str, serving: Serving, units: Mapping[str, Running]) -> Iterator[Finding]:
    weights = {version: unit.weight for version, unit in units.items() if unit.weight}
    if weights != {serving.version: 100}:
        shown = ", ".join(f"{weight} % on {version}" for version, weight in sorted(weights.items()))
        yield service, "weight", shown or "no traffic", f"100 % on {serving.version}"


def _work(
    expected: Expected, service: str, serving: Serving, units: Mapping[str, Running]
) -> Iterator[Finding]:
    """No other version works; the serving one does, unless it does so on one host only."""
    for version, unit in units.items():
        if version != serving.version and serves(unit):
            yield service, "role", f"{version} works", f"{serving.version} works"
    own = units.get(serving.version)
    if own is not None and not serves(own) and not _single(expected, service):
        yield service, "role", f"{serving.version} stands by", f"{serving.version} works"


def _single(expected: Expected, service: str) -> bool:
    """Whether one host of all does the work."""
    return service in expected.alone or expected.kinds[service] == "job"


def _unit(expected: Expected, unit: Running) -> Iterator[Finding]:
    """A unit is the serving one or the one before, with its digest, and runs."""
    known = {
        one.version: one.digest
        for one in (expected.warm.get(unit.service), expected.serving.get(unit.service))
        if one is not None
    }
    if unit.version not in known:
        yield unit.service, "unit", unit.version, " or ".join(sorted(known)) or "no such service"
        return
    if unit.digest != known[unit.version]:
        yield unit.service, "digest", unit.digest[:19], known[unit.version][:19]
    if unit.kind != "job" and unit.state != "RUNNING":
        yield unit.service, "state", f"{unit.version} is {unit.state}", "RUNNING"


def _of_environment(expected: Expected, found: Found) -> Iterator[Finding]:
    if expected.serving and found.configuration != expected.configuration:
        yield "", "configuration", found.configuration[:19], expected.configuration[:19]
    for service, serving in expected.serving.items():
        kind = expected.kinds.get(service)
        if kind is None:
            yield service, "service", f"{serving.version} serves", "not in shop.yaml"
        elif kind != "web" and _single(expected, service):
            yield from _single_work(expected, service, found)


def _single_work(expected: Expected, service: str, found: Found) -> Iterator[Finding]:
    """One host works; one that is not seen may."""
    version = expected.serving[service].version
    seen = {name: host for name, host in found.hosts.items() if not isinstance(host, str)}
    at_work = [
        name
        for name, host in seen.items()
        for unit in host.units.values()
        if unit.service == service and unit.version == version and serves(unit)
    ]
    if not at_work and len(seen) == len(found.hosts):
        yield service, "role", "nobody works", f"{version} works"
    if len(at_work) > 1:
        yield service, "role", f"works on {', '.join(at_work)}", "works on one host"


def drift_report(found: Sequence[Drift]) -> str:
    """What a person reads, in Markdown."""
    rows = (
        f"| {one.environment} | {one.host or 'all'} | {one.service} | {one.what} |"
        f" {cell(one.found)} | {cell(one.expected)} |"
        for one in found
    )
    return "\n".join(
        (
            f"# Not as it should be: {len(found)}",
            "| Environment | Host | Service | What | Found | Expected |",
            "|---|---|---|---|---|---|",
            *rows,
        )
    )
