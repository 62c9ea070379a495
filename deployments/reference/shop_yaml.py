"""shop.yaml: every field with its type, limits and default, read from the dataclasses."""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from deployments.reference.page import described, page, shown, table
from domain.fields import Range, kinds
from domain.shop import Shop

WORDS = {str: "text", int: "whole number", float: "number", bool: "true or false"}
SAID = (
    "What a shop is, in one file beside its code; [the sample's](../../examples/shop/shop.yaml) is"
    " commented, and `tradewind schema` writes the JSON schema for editors. An unknown field is an"
    " error, and every objection is told at once, with its line.\n\nText may hold references such"
    " as `${file:keys/backup}` where a value is a secret: see [secrets](../how-to/secrets.md)."
)


def shop_yaml() -> str:
    """A section for every level of the file, from the outside in."""
    sections = tuple(_sections())
    names = {kind: place for place, kind in sections}
    return page("shop.yaml", SAID, (_section(place, kind, names) for place, kind in sections))


def _sections() -> Iterator[tuple[str, type]]:
    """Each dataclass once, at the place where it is met first."""
    waiting: list[tuple[str, type]] = [("the file", Shop)]
    seen: set[type] = set()
    while waiting:
        place, kind = waiting.pop(0)
        if kind in seen:
            continue
        seen.add(kind)
        yield place, kind
        waiting[:0] = _below("" if kind is Shop else place, kind)


def _below(place: str, kind: Any) -> Iterator[tuple[str, type]]:
    hints = get_type_hints(kind, include_extras=True)
    for name in (one.name for one in fields(kind)):
        for step, inner in _inner(hints[name]):
            label = f" ({', '.join(kinds(inner))})" if len(_members(hints[name])) > 1 else ""
            yield f"{place}.{name}{step}".lstrip(".") + label, inner


def _inner(hint: Any) -> Iterator[tuple[str, type]]:
    """The dataclasses in a type, each with the step that leads to it."""
    if is_dataclass(hint) and isinstance(hint, type):
        yield "", hint
    elif get_origin(hint) is Mapping:
        for step, one in _inner(get_args(hint)[1]):
            yield f".NAME{step}", one
    elif get_origin(hint) is tuple:
        for step, one in _inner(get_args(hint)[0]):
            yield f"[]{step}", one
    else:
        for part in get_args(hint):
            yield from _inner(part)


def _members(hint: Any) -> tuple[type, ...]:
    return tuple(kind for _, kind in _inner(hint))


def _section(place: str, kind: Any, names: Mapping[type, str]) -> str:
    hints = get_type_hints(kind, include_extras=True)
    rows = [(f"`{one.name}`", _told(hints[one.name], names), _default(one)) for one in fields(kind)]
    made = table(("Field", "What", "Where it is left out"), rows)
    return "\n\n".join(part for part in (f"## {place}", described(kind), made) if part)


def _default(one: "Field[Any]") -> str:
    if one.default is not MISSING:
        return shown(one.default)
    if one.default_factory is MISSING:
        return "**needed**"
    made = one.default_factory()
    return "its own defaults" if is_dataclass(made) else shown(made)


def _told(hint: Any, names: Mapping[type, str]) -> str:
    """A type in words, with its limits, and links to what has a section of its own."""
    origin, inside = get_origin(hint), get_args(hint)
    if is_dataclass(hint) and isinstance(hint, type):
        return f"[{names[hint]}](#{anchor(names[hint])})"
    if origin is Literal:
        return " or ".join(f"`{one}`" for one in inside)
    if origin is Annotated:
        limits = next((one for one in inside[1:] if isinstance(one, Range)), None)
        within = f", {_number(limits.ge)} to {_number(limits.le)}" if limits else ""
        return _told(inside[0], names) + within
    if origin in (Union, UnionType):
        return " or ".join(_told(one, names) for one in inside if one is not NoneType)
    if origin is tuple:
        return f"list of {_told(inside[0], names)}"
    if origin is Mapping:
        return f"by name: {_told(inside[1], names)}"
    return WORDS[hint]


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else str(value)


def anchor(heading: str) -> str:
    """As pages of Markdown link to a heading.

    >>> anchor("environments.NAME.hosts[]")
    'environmentsnamehosts'
    """
    kept = "".join(one for one in heading.lower() if one.isalnum() or one in " -_")
    return kept.replace(" ", "-")
