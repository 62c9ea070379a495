"""Two environments side by side before a promotion: what their hosts are, and what differs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from domain.host import Facts
from domain.manifest import Manifest, Part
from domain.report import cell

COMPARED = ("architecture", "kernel", "python", "engine", "proxy", "supervisor", "agent")
"""Of a host's facts; free disk and the clock are a matter of one host, not of two places."""


@dataclass(frozen=True)
class Seen:
    """One host as looked at: what it is, and the digests that serve on it, by service."""

    facts: Facts
    serving: Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Place:
    """One environment: its hosts, and the names of the variables that each service finds there.

    ``away`` has the hosts that do not answer, each with why.
    """

    environment: str
    hosts: tuple[Seen, ...]
    variables: Mapping[str, frozenset[str]]
    away: Mapping[str, str]


@dataclass(frozen=True)
class Difference:
    """What differs and what was found in both places; one that ``refuses`` needs a person's yes."""

    what: str
    source: str
    target: str
    refuses: bool = False

    def __str__(self) -> str:
        return f"{self.what}: {self.source}, {self.target}"


def differences(
    source: Place, target: Place, manifest: Manifest, configuration: str
) -> tuple[Difference, ...]:
    """Everything that is not the same; what would break the promotion first.

    ``configuration`` is the digest of shop.yaml as it is now.
    """
    found = (
        *_away(source, target),
        *_variables(source, target),
        *_tested_digests(source, target, manifest),
        *_facts(source, target),
        *_configuration(manifest, configuration),
        *_moved_digests(source, target, manifest),
    )
    return tuple(sorted(found, key=lambda one: not one.refuses))


def _away(source: Place, target: Place) -> Iterator[Difference]:
    """Nothing is known of a host that does not answer."""
    if source.away or target.away:
        here, there = (
            f"{place.environment} misses {', '.join(place.away) or 'none'}"
            for place in (source, target)
        )
        yield Difference("hosts", here, there, refuses=True)


def _variables(source: Place, target: Place) -> Iterator[Difference]:
    """A variable that only the target has is named; one that it lacks refuses."""
    for service, here in sorted(source.variables.items()):
        there = target.variables.get(service, frozenset())
        for name in sorted(here ^ there):
            yield Difference(
                f"variable {name} of {service}",
                f"{source.environment} {'has' if name in here else 'lacks'} it",
                f"{target.environment} {'has' if name in there else 'lacks'} it",
                refuses=name not in there,
            )


def _tested_digests(source: Place, target: Place, manifest: Manifest) -> Iterator[Difference]:
    """What serves in the source must be what the manifest has: else something else was tried."""
    for part in manifest.parts:
        here = _serving(source, part)
        if set(here.values()) != {frozenset((part.digest,))}:
            yield Difference(
                f"digest of {part.service}",
                f"{source.environment} serves {_digests(here)}",
                f"{target.environment} would get {part.digest[:19]}",
                refuses=True,
            )


def _serving(place: Place, part: Part) -> dict[str, frozenset[str]]:
    """By host, where it is expected: every host serves a web service, others work where they do."""
    return {
        one.facts.name: one.serving.get(part.service, frozenset())
        for one in place.hosts
        if part.kind == "web" or part.service in one.serving
    }


def _digests(serving: Mapping[str, frozenset[str]]) -> str:
    shown = {
        host: " and ".join(sorted(one[:19] for one in digests)) or "nothing"
        for host, digests in serving.items()
    }
    return _by_value(shown) or "nothing"


def _facts(source: Place, target: Place) -> Iterator[Difference]:
    for name in COMPARED:
        here, there = _values(source, name), _values(target, name)
        if set(here.values()) != set(there.values()):
            yield Difference(
                name,
                f"{source.environment} has {_by_value(here)}",
                f"{target.environment} has {_by_value(there)}",
            )


def _values(place: Place, name: str) -> dict[str, str]:
    return {seen.facts.name: getattr(seen.facts, name) or "none" for seen in place.hosts}


def _by_value(values: Mapping[str, str]) -> str:
    """The one value of all hosts, or each value with its hosts.

    >>> _by_value({"a": "3.11", "b": "3.11"}), _by_value({"a": "3.11", "b": "3.9"})
    ('3.11', '3.11 (a) and 3.9 (b)')
    """
    hosts: dict[str, list[str]] = {}
    for host, value in values.items():
        hosts.setdefault(value, []).append(host)
    if len(hosts) < 2:
        return next(iter(hosts), "")
    return " and ".join(f"{value} ({', '.join(names)})" for value, names in sorted(hosts.items()))


def _configuration(manifest: Manifest, configuration: str) -> Iterator[Difference]:
    if manifest.configuration != configuration:
        yield Difference(
            "configuration",
            f"{manifest.version} was built by shop.yaml {manifest.configuration[:19]}",
            f"shop.yaml is {configuration[:19]} now",
        )


def _moved_digests(source: Place, target: Place, manifest: Manifest) -> Iterator[Difference]:
    """What the promotion is going to change."""
    for part in manifest.parts:
        there = _serving(target, part)
        if set(there.values()) - {frozenset((part.digest,))}:
            yield Difference(
                f"digest of {part.service}",
                f"{source.environment}'s is {part.digest[:19]}",
                f"{target.environment} serves {_digests(there)}",
            )


def comparison(source: str, target: str, found: tuple[Difference, ...]) -> str:
    """What a person reads, in Markdown."""
    if not found:
        return f"# {source} and {target} do not differ"
    rows = (
        f"| {cell(one.what)} | {cell(one.source)} | {cell(one.target)} |"
        f" {'has to be accepted' if one.refuses else ''} |"
        for one in found
    )
    return "\n".join(
        (
            f"# How {target} differs from {source}",
            f"| What | {source} | {target} | |",
            "|---|---|---|---|",
            *rows,
        )
    )
