"""What is different between two specifications, fact by fact, with renames recognised."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Literal

from domain.channel import Rate
from domain.contracts.facts import Facts, Where
from domain.contracts.schemas import Fact

Aspect = Literal[
    "added", "removed", "type", "required", "nullable", "values", "most", "rate", "within",
    "description",
]  # fmt: skip
COMPARED: tuple[Aspect, ...] = (
    "type", "required", "nullable", "values", "most", "rate", "within", "description",
)  # fmt: skip
SHOWN = 8
"""Values of an enum that a sentence names."""


@dataclass(frozen=True)
class Difference:
    """One aspect of one place; ``renamed`` is what came in its stead, "" where nothing did."""

    where: Where
    aspect: Aspect
    before: Fact
    after: Fact
    renamed: str = ""

    def __str__(self) -> str:
        """One sentence, without the place."""
        return _SAID[self.aspect](self)


def differences(before: Facts, after: Facts) -> tuple[Difference, ...]:
    """Of what was removed or added as a whole only the top is told; a rename is told once."""
    removed = dict(_paired(_tops(before, after, "removed"), _tops(after, before, "added")))
    renames = [come for come in removed.values() if come and not come.after.required]
    added = [come for come in _tops(after, before, "added") if come not in renames]
    changed = [
        Difference(where, aspect, old, after[where])
        for where, old in before.items()
        if where in after
        for aspect in COMPARED
        if getattr(old, aspect) != getattr(after[where], aspect)
    ]
    return (*(_renamed(*pair) for pair in removed.items()), *added, *changed)


def _tops(facts: Facts, others: Facts, aspect: Literal["added", "removed"]) -> Iterator[Difference]:
    for where, fact in facts.items():
        above = where.parent
        if where not in others and (above is None or above in others):
            pair = (Fact(), fact) if aspect == "added" else (fact, Fact())
            yield Difference(where, aspect, *pair)


def _paired(
    removed: Iterable[Difference], added: Iterable[Difference]
) -> Iterator[tuple[Difference, Difference | None]]:
    """What went, with what came beside it with the same type; the most similar name first."""
    free = list(added)
    for gone in removed:
        alike = [come for come in free if _alike(gone, come)]
        best = max(alike, key=lambda come: _similarity(gone, come), default=None)
        if best is not None:
            free.remove(best)
        yield gone, best


def _renamed(gone: Difference, come: Difference | None) -> Difference:
    return replace(gone, renamed=come.where.name) if come else gone


def _alike(gone: Difference, come: Difference) -> bool:
    one, other = gone.where, come.where
    beside = one.parent == other.parent and one.part == other.part
    return beside and one.part != "operation" and gone.before.type == come.after.type


def _similarity(gone: Difference, come: Difference) -> float:
    return SequenceMatcher(None, gone.where.name.lower(), come.where.name.lower()).ratio()


def _added(one: Difference) -> str:
    return "is new and required" if one.after.required else "is new"


def _removed(one: Difference) -> str:
    if one.renamed:
        return f"is missing, renamed to {one.renamed} (new beside it, of the same type)"
    return "is missing"


def _required(one: Difference) -> str:
    if one.where.part == "response":
        return "is always there" if one.after.required else "is no longer always there"
    return "is required now" if one.after.required else "is no longer required"


def _nullable(one: Difference) -> str:
    return "may be null now" if one.after.nullable else "may no longer be null"


def _values(one: Difference) -> str:
    before, after = one.before.values, one.after.values
    if not before:
        return f"is only {_list(after)}"
    if not after:
        return f"is any value, was {_list(before)}"
    gone = [value for value in before if value not in after]
    come = [value for value in after if value not in before]
    said = [f"no longer {_list(gone)}"] * bool(gone) + [f"new: {_list(come)}"] * bool(come)
    return "; ".join(said) or "has its values in another order"


def _list(values: list[str] | tuple[str, ...]) -> str:
    more = f" and {len(values) - SHOWN} more" if len(values) > SHOWN else ""
    return ", ".join(values[:SHOWN]) + more


def _most(one: Difference) -> str:
    return f"is at most {_number(one.after.most)}, was {_number(one.before.most)}"


def _number(value: float | None) -> str:
    return "unlimited" if value is None else f"{value:g}"


def _type(one: Difference) -> str:
    return f"is {one.after.type or 'nothing'}, was {one.before.type or 'nothing'}"


def _within(one: Difference) -> str:
    return f"goes in {one.after.within}, was in {one.before.within}"


def _description(_one: Difference) -> str:
    return "is described in other words"


def _rate(one: Difference) -> str:
    return f"may be called {_shown(one.after.rate)}, was {_shown(one.before.rate)}"


def _shown(rate: Rate | None) -> str:
    if rate is None:
        return "at a rate that is not told"
    return f"{rate.per_second:g} times a second with a burst of {rate.burst:g}"


_SAID: Mapping[Aspect, Callable[[Difference], str]] = {
    "added": _added,
    "removed": _removed,
    "type": _type,
    "required": _required,
    "nullable": _nullable,
    "values": _values,
    "most": _most,
    "rate": _rate,
    "within": _within,
    "description": _description,
}
