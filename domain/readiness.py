"""Whether a host is fit to be deployed to: what was found, and what is needed."""

from collections.abc import Iterator
from dataclasses import dataclass

from domain.host import Facts, Observed

LEAST_FREE_BYTES = 1 << 30
MOST_CLOCK_SECONDS = 2.0


@dataclass(frozen=True)
class Needs:
    """What an environment asks of its hosts.

    ``python`` is the version that services were installed for ("" where all are containers),
    ``epoch`` the highest that this ledger ever gave out there.
    """

    python: str
    proxy: str
    processes: bool
    containers: bool
    epoch: int


@dataclass(frozen=True)
class Finding:
    """One thing looked at on a host."""

    host: str
    what: str
    found: str
    needed: str
    good: bool


def readiness(
    facts: Facts, observed: Observed, loose: tuple[str, ...], needs: Needs
) -> tuple[Finding, ...]:
    """``loose`` is what the key may do beyond its one command; all is told, good or bad."""
    return tuple(
        Finding(facts.name, what, found, needed, good)
        for what, found, needed, good in (
            ("key", "; ".join(loose) or "runs one command", "runs one command", not loose),
            *_programs(facts, needs),
            *_machine(facts, observed, needs),
        )
    )


def _programs(facts: Facts, needs: Needs) -> Iterator[tuple[str, str, str, bool]]:
    if needs.python:
        minor = ".".join(needs.python.split(".")[:2])
        good = facts.python.split(".")[:2] == minor.split(".")
        yield "python", facts.python, f"{minor}, as services are installed for", good
    yield "proxy", facts.proxy or "none", needs.proxy, bool(facts.proxy)
    if needs.processes:
        yield "supervisor", facts.supervisor or "none", "any", bool(facts.supervisor)
    if needs.containers:
        yield "docker engine", facts.engine or "none", "any", bool(facts.engine)


def _machine(
    facts: Facts, observed: Observed, needs: Needs
) -> Iterator[tuple[str, str, str, bool]]:
    free, least = facts.disk_free_bytes, LEAST_FREE_BYTES
    yield "disk", f"{free / least:.1f} GiB free", f"{least >> 30} GiB", free >= least
    off = facts.clock_offset_seconds
    yield (
        "clock",
        f"{off:+.3f} s",
        f"within {MOST_CLOCK_SECONDS:g} s",
        abs(off) <= MOST_CLOCK_SECONDS,
    )
    yield (
        "fence",
        f"epoch {observed.epoch}",
        f"at most {needs.epoch}: a higher one is another ledger's",
        observed.epoch <= needs.epoch,
    )
