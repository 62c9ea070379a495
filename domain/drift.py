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
            one = Serving(**record)
            if (
                service in serving
                and service not in kept
                and one.version != serving[service].version
            ):
                kept[service] = one
    return kept


def _of_host(expected: Expected, host: Observed | str) -> Iterator[Finding]:
    if isinstance(host, str):
        yield "", "host", host, "an answer"
        return
    if host.epoch < expected.epoch:
        yield "", "epoch", str(host.epoch), f"{expected.epoch} or above"
    for name in expected.serving:
        kind = expected.kinds.get(name)
        if kind == "web":
            yield from _web(name, expected.serving[name], host)
        elif kind:
            yield from _work(name, expected.serving[name], host)
    for unit in host.units.values():
        yield from _unit(expected, unit)


def _web(service: str, serving: Serving, host: Observed) -> Iterator[Finding]:
    """Every host has the serving version, and all of its traffic."""
    units = [unit for unit in host.units.values() if unit.service == service]
    if all(unit.version != serving.version for unit in units):
        yield service, "unit", "absent", serving.version
    weights = {unit.version: unit.weight for unit in units if unit.weight}
    if weights != {serving.version: 100}:
        shown = ", ".join(f"{weight} % on {version}" for version, weight in sorted(weights.items()))
        yield service, "weight", shown or "no traffic", f"100 % on {serving.version}"


def _work(service: str, serving: Serving, host: Observed) -> Iterator[Finding]:
    """No other version does the work."""
    for unit in host.units.values():
        if unit.service == service and unit.version != serving.version and serves(unit):
            yield service, "role", f"{unit.version} works", f"{serving.version} works"


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
        elif kind != "web":
            yield from _workers(expected, service, found)


def _workers(expected: Expected, service: str, found: Found) -> Iterator[Finding]:
    """Somebody works (a host that is not seen may), and only one where it must be alone."""
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
    if len(at_work) > 1 and (service in expected.alone or expected.kinds[service] == "job"):
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
