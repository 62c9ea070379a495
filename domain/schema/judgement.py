"""What a statement or a part of one does to the version before, and what a migration has made."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from domain.schema.migration import Kind
from domain.schema.tokens import plain

ORDER: tuple[Kind, ...] = ("expand", "backfill", "contract", "irreversible", "unknown")
"""From what the version before does not notice to what nobody can tell."""


OLD = "the version before"
FAILS = f"writes of {OLD} that worked can fail"
NAME = r"[^ ]+(?: \. [^ ]+)*"
"""A name in a pattern on ``shape``, its schema with it."""
LONGEST = 60
Rule = tuple[str, Kind, str]
"""A pattern on ``shape``, the kind of what it matches wholly, and why."""


@dataclass(frozen=True)
class Judgement:
    """A kind, and why, as a person reads it."""

    kind: Kind
    reason: str

    @classmethod
    def of(cls, kind: Kind, shape: str, why: str) -> "Judgement":
        """Names what is judged, shortened."""
        named = shape.replace("\x1f", " ")
        shown = named if len(named) <= LONGEST else f"{named[:LONGEST]}…"
        return cls(kind, f"{shown}: {why}")

    @property
    def rank(self) -> int:
        return ORDER.index(self.kind)


OWN = Judgement("expand", f"this migration made it itself: {OLD} does not know it")


def ruled(shape: str, rules: Iterable[Rule], named: str) -> Judgement | None:
    """By the first rule that matches ``shape``; ``named`` is what the reason names."""
    for pattern, kind, why in rules:
        if re.fullmatch(pattern, shape):
            return Judgement.of(kind, named, why)
    return None


@dataclass(frozen=True)
class Column:
    """A column that a migration added: whether it refuses NULL, and has a default."""

    required: bool
    default: bool

    @property
    def breaks(self) -> bool:
        """Whether inserts that do not name it fail."""
        return self.required and not self.default


@dataclass
class Made:
    """What one migration has made so far, which the version before does not know.

    Names are as in ``shape``. What was made IF NOT EXISTS may have been there, so it is no part.
    """

    things: set[tuple[str, str]] = field(default_factory=set)
    columns: dict[tuple[str, str], Column] = field(default_factory=dict)

    def make(self, what: str, name: str) -> None:
        self.things.add((what, _key(name)))

    def has(self, what: str, name: str) -> bool:
        return (what, _key(name)) in self.things

    def drop(self, what: str, name: str) -> None:
        self.things.discard((what, _key(name)))

    def column(self, table: str, name: str) -> Column | None:
        return self.columns.get((_key(table), plain(name)))

    def set_column(self, table: str, name: str, column: Column) -> None:
        self.columns[_key(table), plain(name)] = column

    def drop_column(self, table: str, name: str) -> None:
        self.columns.pop((_key(table), plain(name)), None)


def _key(name: str) -> str:
    """``public`` is where an unqualified name is, unless somebody arranged it otherwise."""
    return plain(name).removeprefix("public.")
