"""What a host that is behind has to be brought to, and where single work belongs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from domain.drift import Drift, serves
from domain.host import Observed, Running, unit_name
from domain.plan import Serving

BY_A_PERSON = ("host", "configuration", "service")
"""A host that does not answer, and another shop.yaml: nothing that a repair could put right."""


def behind(drifts: Iterable[Drift], answering: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Hosts to be put right, each with what is wrong there, in a sentence each.

    What is wrong with all of them is put right at the first.
    """
    wrong: dict[str, list[str]] = {}
    for one in drifts:
        host = one.host or next(iter(answering), "")
        if host in answering and one.what not in BY_A_PERSON:
            what = f"{one.service} {one.what}".strip()
            wrong.setdefault(host, []).append(f"{what}: {one.found}, should be {one.expected}")
    return {host: tuple(reasons) for host, reasons in wrong.items()}


def superfluous(
    observed: Observed, serving: Mapping[str, Serving], warm: Mapping[str, Serving]
) -> tuple[Running, ...]:
    """Units that neither serve nor are the version before."""
    kept = {
        unit_name(service, one.version)
        for known in (serving, warm)
        for service, one in known.items()
    }
    return tuple(unit for name, unit in observed.units.items() if name not in kept)


@dataclass(frozen=True)
class Single:
    """Where a service with single work should do it, "" where nobody may be told to."""

    host: str
    silent: tuple[str, ...]


def single(unit: str, seen: Mapping[str, Observed], away: Sequence[str], must: bool) -> Single:
    """One host of those that answer works, the others stand by.

    ``must`` be alone: while a host is away and nobody else works, its worker may still run.
    """
    able = [host for host, one in seen.items() if unit in one.units]
    working = [host for host in able if serves(seen[host].units[unit])]
    if working:
        return Single(working[0], tuple(working[1:]))
    if not able or (must and away):
        return Single("", ())
    return Single(able[0], ())
