"""What must change so that a server agrees with shop.yaml, and the choices its forms offer."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Difference:
    """One thing on the server that is not as declared; ``fields`` names what differs."""

    kind: Literal["create", "change"]
    name: str
    fields: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.kind} {self.name}" + (f" ({', '.join(self.fields)})" if self.fields else "")


def differences(
    wanted: Mapping[str, Mapping[str, Any]], observed: Mapping[str, Mapping[str, Any] | None]
) -> tuple[Difference, ...]:
    """Compares only the declared fields: what people changed beside them is theirs.

    >>> [str(d) for d in differences({"limit a": {"limit": 1}}, {"limit a": {"limit": 2, "x": 0}})]
    ['change limit a (limit)']
    """
    return tuple(_compared(wanted, observed))


def _compared(
    wanted: Mapping[str, Mapping[str, Any]], observed: Mapping[str, Mapping[str, Any] | None]
) -> Iterator[Difference]:
    for name, fields in wanted.items():
        there = observed.get(name)
        if there is None:
            yield Difference("create", name)
            continue
        other = tuple(key for key, value in fields.items() if there.get(key) != value)
        if other:
            yield Difference("change", name, other)


def with_choices(
    schema: Mapping[str, Any], choices: Mapping[str, tuple[str, ...]]
) -> dict[str, Any]:
    """A form's JSON schema in which each named field offers exactly ``choices[field]``.

    A list field gets the choices on its items; a field with an empty default keeps "" as a choice.
    Fields are numbered, once: a server that keeps its schemas in JSONB forgets their order.
    """
    definitions = {
        name: {**model, "properties": _numbered(_chosen(model.get("properties", {}), choices))}
        for name, model in schema.get("definitions", {}).items()
    }
    return {**schema, "definitions": definitions} if definitions else dict(schema)


def _chosen(fields: Mapping[str, Any], choices: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    return {
        name: _one_of(field, choices[name]) if name in choices else field
        for name, field in fields.items()
    }


def _numbered(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: {"position": number, **field} for number, (name, field) in enumerate(fields.items())
    }


def _one_of(field: Mapping[str, Any], options: tuple[str, ...]) -> dict[str, Any]:
    if field.get("type") == "array":
        return {**field, "items": {**field["items"], "enum": list(options)}, "uniqueItems": True}
    empty = [""] if field.get("default") == "" else []
    return {**field, "enum": [*empty, *options]}
