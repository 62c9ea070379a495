"""Reads ``shop.yaml``: every objection at once, each with its line, field, value and limit."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import yaml
from pydantic import TypeAdapter, ValidationError

from domain.consistency import objections
from domain.digest import digest_of
from domain.errors import BadInput
from domain.fields import kinds
from domain.shop import Shop

_SHOP = TypeAdapter(Shop)
Lines = dict[tuple[str, ...], int]


def load(path: Path) -> Shop:
    """The shop. Raises BadInput with one sentence per objection when the file is wrong."""
    try:
        tree = yaml.compose(path.read_text(), Loader=yaml.SafeLoader)
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise BadInput(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    lines: Lines = {}
    twice = tuple(_noted(tree, (), lines))
    if twice:
        raise BadInput(*(f"{path.name}:{line}: {what}" for what, line in twice))
    return _checked(yaml.safe_load(path.read_text()), path.name, lines)


def schema() -> dict[str, Any]:
    """JSON schema of the file, for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "shop.yaml",
        **_SHOP.json_schema(),
    }


def configuration_digest(shop: Shop) -> str:
    return digest_of(asdict(shop))


def _checked(content: object, name: str, lines: Lines) -> Shop:
    try:
        shop = _SHOP.validate_python(content)
    except ValidationError as error:
        raise BadInput(*(_said(one, name, lines) for one in error.errors())) from error
    against = objections(shop)
    if against:
        raise BadInput(*(f"{name}:{_line(lines, where)}: {what}" for where, what in against))
    return shop


def _noted(
    node: yaml.Node | None, where: tuple[str, ...], lines: Lines
) -> Iterator[tuple[str, int]]:
    """Remembers the line of every field, and yields the keys that stand there twice."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            here = (*where, key.value)
            if key.value in seen:
                yield f"{'.'.join(here)} is given twice", key.start_mark.line + 1
            seen.add(key.value)
            lines[here] = key.start_mark.line + 1
            yield from _noted(value, here, lines)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            lines[(*where, str(number))] = value.start_mark.line + 1
            yield from _noted(value, (*where, str(number)), lines)


def _line(lines: Lines, where: tuple[str, ...]) -> int:
    """Of the field, or of the nearest one around it."""
    while where and where not in lines:
        where = where[:-1]
    return lines.get(where, 1)


def _said(error: Mapping[str, Any], name: str, lines: Lines) -> str:
    where, _ = _place(error["loc"])
    field, line = ".".join(where) or "the file", _line(lines, where)
    if error["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        return f"{name}:{line}: {field} is not known{_suggestion(error['loc'])}"
    if error["type"] == "union_tag_invalid":
        known = error["ctx"]["expected_tags"].replace("'", "")
        line = _line(lines, (*where, "kind"))
        return f"{name}:{line}: {field}.kind is {error['ctx']['tag']!r}, known are {known}"
    if error["type"] == "union_tag_not_found":
        return f"{name}:{line}: {field}.kind is missing"
    if error["type"] in ("missing", "missing_argument"):
        return f"{name}:{line}: {field} is missing"
    value = repr(error["input"])
    limit = error["msg"][0].lower() + error["msg"][1:]
    return f"{name}:{line}: {field} is {value if len(value) < 80 else value[:77] + '…'}: {limit}"


def _suggestion(loc: Sequence[object]) -> str:
    known = _known_fields(loc[:-1])
    close = difflib.get_close_matches(str(loc[-1]), known, n=1, cutoff=0.6)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; known are {', '.join(known)}" if known else ""


def _known_fields(loc: Sequence[object]) -> list[str]:
    """Names that the dataclass at this place of the file has; none when there is no such place."""
    found = _dataclass(_place(loc)[1])
    return [field.name for field in fields(found)] if found else []


def _place(loc: Sequence[object]) -> tuple[tuple[str, ...], Any]:
    """Where in the file that is, and the type of what stands there.

    Below a union pydantic's path has the member's kind besides, which is no place in the file.
    """
    where: tuple[str, ...] = ()
    kind: Any = Shop
    for part in map(str, loc):
        member = _member(kind, part)
        where = where if member else (*where, part)
        kind = member or _inside(kind, part)
    return where, kind


def _member(kind: Any, part: str) -> Any:
    """The dataclass of a union that is known by this kind, if it is a union of several."""
    several = [one for one in get_args(kind) if is_dataclass(one)]
    if len(several) < 2:
        return None
    return next((one for one in several if isinstance(one, type) and part in kinds(one)), None)


def _inside(kind: Any, part: str) -> Any:
    """The type of a field, or of what a mapping or tuple holds."""
    if get_origin(kind) in (Mapping, tuple):
        return get_args(kind)[1 if get_origin(kind) is Mapping else 0]
    found = _dataclass(kind)
    return get_type_hints(found).get(part, object) if found else object


def _dataclass(kind: Any) -> Any:
    return next((one for one in (kind, *get_args(kind)) if is_dataclass(one)), None)
