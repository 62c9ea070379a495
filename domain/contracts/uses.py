"""One operation as a client uses it: what a difference of it means."""

from dataclasses import dataclass, replace

from domain.channel import Rate
from domain.contracts.differences import Difference
from domain.contracts.facts import Part, Where
from domain.contracts.findings import Kind
from domain.contracts.schemas import Fact
from domain.contracts.surface import Operation

INFO: Kind = "information"


@dataclass(frozen=True)
class Use:
    """One operation as the client uses it."""

    operation: Operation

    def names(self, part: Part) -> tuple[str, ...]:
        own = {
            "parameter": self.operation.sends,
            "request": self.operation.writes,
            "response": self.operation.reads,
        }
        return own.get(part, ())

    def touches(self, where: Where) -> bool:
        """Whether the client uses this place or something below it."""
        names = self.names(where.part)
        if where.part in ("address", "operation"):
            return True
        if not where.name:
            return bool(names)
        return any(name == where.name or name.startswith(_below(where.name)) for name in names)

    def reaches(self, where: Where) -> bool:
        """Whether the client sends what this place is a part of."""
        above = where.parent
        return above is not None and self.touches(above)

    def kind(self, difference: Difference) -> Kind:
        """What a difference means for this client."""
        where, after = difference.where, difference.after
        answered = where.part == "response"
        if difference.aspect in ("added", "required") and not answered:
            sent = self.touches(where)
            return "breaking" if after.required and not sent and self.reaches(where) else INFO
        if not self.touches(where) or difference.aspect in ("added", "description"):
            return INFO
        if difference.aspect == "required":
            return INFO if after.required else "breaking"
        if difference.aspect == "nullable":
            return "breaking" if after.nullable == answered else INFO
        judge = {"values": self._values, "most": self._most, "rate": self._rate}
        return judge[difference.aspect](difference) if difference.aspect in judge else "breaking"

    def _values(self, difference: Difference) -> Kind:
        """Without a value that is relied on, breaking; with one nobody knows, a warning."""
        after = difference.after.values
        relied = self.operation.values.get(difference.where.name, ())
        if after and any(value not in after for value in relied):
            return "breaking"
        unknown = difference.where.part == "response" and relied
        return "warning" if unknown and set(after) - set(difference.before.values) else INFO

    def _most(self, difference: Difference) -> Kind:
        relied = self.operation.most.get(difference.where.name, 0)
        after = difference.after.most
        return "breaking" if after is not None and after < relied else "warning"

    def _rate(self, difference: Difference) -> Kind:
        relied, after = self.operation.rate, difference.after.rate
        return "breaking" if relied and after and _slower(after, relied) else "warning"

    def expected(self, part: Part, name: str, fact: Fact) -> Fact:
        """A fact as the client would have written it: with what it relies on."""
        op = self.operation
        values, most = op.values.get(name, fact.values), op.most.get(name, fact.most)
        rate = op.rate or fact.rate if part == "operation" else None
        return replace(fact, values=values, most=most, rate=rate)


def _below(name: str) -> tuple[str, str]:
    return f"{name}.", f"{name}["


def _slower(one: Rate, other: Rate) -> bool:
    return one.per_second < other.per_second or one.burst < other.burst
