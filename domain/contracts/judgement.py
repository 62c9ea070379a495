"""Which difference breaks a client: one that touches what it uses; the rest is information."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from domain.contracts.differences import Difference, differences
from domain.contracts.facts import Facts, Part, Where
from domain.contracts.findings import Found, Kind
from domain.contracts.prose import endings
from domain.contracts.schemas import Fact
from domain.contracts.surface import Surface
from domain.contracts.uses import INFO, Use

TOLD = 5
"""Differences of one operation that information names; the others are counted."""


def findings(before: Facts | None, after: Facts, surface: Surface) -> tuple[Found, ...]:
    """What the way from ``before`` to ``after`` means for a client, and what ends.

    The first time there is nothing to compare with: then it is what the client expects.
    """
    uses = {one.call: Use(one) for one in surface.operations}
    if before is None:
        found = tuple(_unmet(after, uses))
    else:
        found = tuple(_judged(differences(before, after), uses))
    return (*found, *endings_of(after, surface))


def endings_of(facts: Facts, surface: Surface) -> Iterator[Found]:
    """What is deprecated of what the client uses, by flag, by word, and by the channel's rules."""
    uses = {one.call: Use(one) for one in surface.operations}
    for where, fact in facts.items():
        use = uses.get(where.operation)
        if where.part == "address" or (use and use.touches(where)):
            if fact.deprecated:
                yield Found("deprecation", str(where), "is marked as deprecated")
            for ending in endings(fact.description):
                yield Found("deprecation", str(where), ending.sentence, ending.on)
    for end in surface.ends:
        yield Found("deprecation", end.subject, end.detail, end.on)


def _judged(found: tuple[Difference, ...], uses: Mapping[str, Use]) -> Iterator[Found]:
    """What matters one by one; information by operation, since there may be very much of it."""
    rest: dict[str, list[str]] = {}
    for one in found:
        kind = _kind(one, uses)
        if kind == INFO:
            place = f"{one.where.part} {one.where.name}".removeprefix("operation").strip()
            rest.setdefault(one.where.operation, []).append(f"{place} {one}".strip())
        else:
            yield Found(kind, str(one.where), str(one))
    for operation, said in rest.items():
        more = f"; and {len(said) - TOLD} more" if len(said) > TOLD else ""
        yield Found(INFO, operation or "the API's address", "; ".join(said[:TOLD]) + more)


def _kind(difference: Difference, uses: Mapping[str, Use]) -> Kind:
    if difference.where.part == "address":
        return INFO if difference.aspect == "description" else "breaking"
    use = uses.get(difference.where.operation)
    return use.kind(difference) if use else INFO


def _unmet(facts: Facts, uses: Mapping[str, Use]) -> Iterator[Found]:
    """What the client expects as a specification of its own: only what breaks it matters."""
    own = {where: fact for where, fact in facts.items() if where.operation in uses}
    described = {where.parent for where in own}
    expected: dict[Where, Fact] = {}
    for use in uses.values():
        for where in _places(use):
            if where.parent in described or not _open(where.parent, own):
                fact = own.get(where, Fact())
                expected[where] = use.expected(where.part, where.name, fact)
    for one in differences(expected, own):
        if _kind(one, uses) == "breaking":
            yield Found("breaking", str(one.where), str(replace(one, renamed="")))


def _open(above: Where | None, facts: Facts) -> bool:
    """Whether it is an object without described fields: then anything may be in it."""
    fact = facts.get(above) if above and above.name else None
    return fact is not None and fact.type.endswith(("object", "any"))


def _places(use: Use) -> Iterator[Where]:
    """Every place that the client uses, with those above it."""
    call = use.operation.call
    yield Where(call, "operation")
    parts: tuple[Part, ...] = ("parameter", "request", "response")
    for part in parts:
        for name in use.names(part):
            place: Where | None = Where(call, part, name)
            while place is not None and place.part == part:
                yield place
                place = place.parent
