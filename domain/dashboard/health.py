"""How healthy it is: what needs a person, and whether the last deployments ended safely."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from domain.dashboard.facts import Facts
from domain.figures.success import Success

Concern = Literal["halted", "held", "diverged", "waiting"]


@dataclass(frozen=True)
class Need:
    """Something that a person has to do, and where; ``said`` is a sentence of the ledger."""

    concern: Concern
    where: str
    said: str


def success(facts: Facts, days: int) -> Success:
    """Of what began in the last ``days``; counted as the figures are."""
    since = facts.now - timedelta(days=days)
    lately = [one for one in facts.deployments if one.created_at >= since]
    suspect = {one.id for one in lately if (one.environment, one.version) in facts.suspected}
    states = Counter(one.state for one in lately if one.id not in suspect)
    ended_suspect = sum(one.state in ("done", "rolled back") for one in lately if one.id in suspect)
    return Success(
        states["done"],
        states["rolled back"],
        sum(one.state == "halted" for one in lately) + ended_suspect,
        sum(one.state == "refused" for one in lately),
        sum(not one.finished for one in lately),
    )


def needs(facts: Facts, held: Mapping[str, str]) -> tuple[Need, ...]:
    """The worst first; empty when nobody has to do anything.

    ``held`` says by environment who stopped it.
    """
    return (*_halted(facts), *_held(held), *_diverged(facts), *_waiting(facts))


def _halted(facts: Facts) -> Iterator[Need]:
    """Only while nothing went well there since."""
    for place in sorted({one.environment for one in facts.deployments}):
        last = facts.last(place)
        if last is not None and last.state == "halted":
            yield Need("halted", place, f"{last.version}: {last.reason}")


def _held(held: Mapping[str, str]) -> Iterator[Need]:
    yield from (Need("held", place, said) for place, said in held.items())


def _diverged(facts: Facts) -> Iterator[Need]:
    for place, rows in sorted(facts.diverged.items()):
        if rows:
            yield Need("diverged", place, f"{rows:,}")


def _waiting(facts: Facts) -> Iterator[Need]:
    for one in facts.waiting:
        yield Need("waiting", one.deployment.environment, one.deployment.version)
