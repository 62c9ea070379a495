"""A JSON schema as a flat list of fields: references and ``allOf`` resolved, cycles bounded."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.channel import Rate
from domain.contracts.prose import most
from domain.errors import BadInput

Schema = Mapping[str, Any]
MOST_DEPTH = 12
"""Names in a path; what lies deeper is not looked at."""


@dataclass(frozen=True)
class Fact:
    """What is said of an operation, a parameter or a field; ``within`` is where a parameter goes.

    ``values`` are all that are allowed (none: any), ``most`` is the largest number or length.
    """

    type: str = ""
    required: bool = False
    nullable: bool = False
    values: tuple[str, ...] = ()
    most: float | None = None
    rate: Rate | None = None
    within: str = ""
    deprecated: bool = False
    description: str = ""


@dataclass(frozen=True)
class _Node:
    """A schema with its references followed; ``trail`` are those, so that none is twice in it."""

    schema: Schema
    trail: frozenset[str] = field(default_factory=frozenset)


class Schemas:
    """The schemas of one document."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document

    def at(self, reference: str) -> Mapping[str, Any]:
        """What a reference such as ``#/definitions/Order`` leads to; BadInput when nothing."""
        found: Any = self._document
        for name in reference.removeprefix("#/").split("/"):
            name = name.replace("~1", "/").replace("~0", "~")
            found = found.get(name) if isinstance(found, Mapping) else None
        if not isinstance(found, Mapping):
            raise BadInput(f"the reference {reference} leads nowhere")
        return found

    def fields(self, schema: Schema) -> Iterator[tuple[str, Fact]]:
        """Dotted paths with their facts; "" is the whole, ``[]`` follows the name of an array."""
        yield from self._below("", self._whole(_Node(schema)), required=True)

    def fact(self, schema: Schema, *, required: bool) -> Fact:
        """Of one schema, without what is in it."""
        return self._fact(self._whole(_Node(schema)), required)

    def _below(self, path: str, node: _Node, *, required: bool) -> Iterator[tuple[str, Fact]]:
        yield path, self._fact(node, required)
        if path.count(".") >= MOST_DEPTH:
            return
        while "items" in node.schema:
            node, path = self._items(node), f"{path}[]"
        needed = node.schema.get("required") or ()
        for name, child in (node.schema.get("properties") or {}).items():
            inner = self._whole(_Node(child, node.trail))
            below = f"{path}.{name}" if path else str(name)
            yield from self._below(below, inner, required=name in needed)

    def _items(self, node: _Node) -> _Node:
        return self._whole(_Node(node.schema["items"] or {}, node.trail))

    def _whole(self, node: _Node) -> _Node:
        """With its references followed and its parts put into it."""
        schema, trail = node.schema, node.trail
        reference = schema.get("$ref")
        if isinstance(reference, str):
            own = {name: value for name, value in schema.items() if name != "$ref"}
            if reference in trail:
                return _Node({"type": "object", **own}, trail)
            found = self._whole(_Node(self.at(reference), trail | {reference}))
            return _Node({**found.schema, **own}, found.trail)
        for kind in ("allOf", "oneOf", "anyOf"):
            for part in schema.get(kind) or ():
                found = self._whole(_Node(part, trail))
                schema, trail = _joined(schema, found.schema, every=kind == "allOf"), found.trail
        return _Node(schema, trail)

    def _fact(self, node: _Node, required: bool) -> Fact:
        schema = node.schema
        inner = self._items(node).schema if "items" in schema else {}
        description = str(schema.get("description") or "")
        allowed = schema.get("maxItems", schema.get("maximum"))
        values = schema.get("enum") or inner.get("enum") or ()
        return Fact(
            self._type(node),
            required,
            _nullable(schema),
            tuple(str(value) for value in values if value is not None),
            float(allowed) if isinstance(allowed, int | float) else most(description),
            deprecated=bool(schema.get("deprecated")),
            description=description,
        )

    def _type(self, node: _Node) -> str:
        schema = node.schema
        if "items" in schema:
            return f"array of {self._type(self._items(node))}"
        told = schema.get("type", "object" if "properties" in schema else "any")
        names = [told] if isinstance(told, str) else [one for one in told if one != "null"]
        return " or ".join(sorted(names))


def _joined(schema: Schema, part: Schema, *, every: bool) -> Schema:
    """What the parts say together; of alternatives no field is certain."""
    needed = [*(schema.get("required") or ()), *(part.get("required") or ()) * every]
    properties = {**(part.get("properties") or {}), **(schema.get("properties") or {})}
    joined = {**part, **schema, "required": needed}
    return {**joined, "properties": properties} if properties else joined


def _nullable(schema: Schema) -> bool:
    told = schema.get("type")
    return bool(schema.get("nullable")) or (isinstance(told, list) and "null" in told)
