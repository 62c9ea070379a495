"""The official documents beside this copy of the project, cut down to what is simulated."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

SPECS = Path(__file__).parents[4] / "shared" / "specs"
AMAZON = SPECS / "amazon"
MAGENTO = SPECS / "magento" / "admin-schema-2.4.9.yaml"
REFERENCE = re.compile(r'"#/definitions/([^"]+)"')


@cache
def official(path: Path) -> dict[str, Any]:
    """The document; the test is skipped where it is not there."""
    if not path.exists():
        pytest.skip(f"{path.name} is not beside this copy of the project")
    text = path.read_text()
    found: dict[str, Any] = (
        json.loads(text) if path.suffix == ".json" else yaml.load(text, yaml.CSafeLoader)
    )
    return found


def definition(path: Path, name: str) -> dict[str, Any]:
    """One definition as a schema of its own, with those it needs."""
    known = official(path)["definitions"]
    schema = {"$ref": f"#/definitions/{name}"}
    return {**schema, "definitions": _needed(schema, known)}


def operation(
    path: Path, method: str, where: str, values: Mapping[str, list[str]]
) -> dict[str, Any]:
    """One operation as a document of its own; ``values`` are those that exist, by parameter."""
    whole = official(path)
    one = whole["paths"][where][method]
    parameters = [_narrowed(given, values) for given in one.get("parameters", ())]
    paths = {where: {method: {**one, "parameters": parameters}}}
    document = {"swagger": "2.0", "info": whole["info"], "basePath": whole.get("basePath", "/")}
    types = {"consumes": ["application/json"], "produces": ["application/json"]}
    known = _needed(paths, whole["definitions"])
    return {**document, **types, "paths": paths, "definitions": known}


def _narrowed(given: dict[str, Any], values: Mapping[str, list[str]]) -> dict[str, Any]:
    allowed = {"enum": values.get(given["name"], [])}
    if not allowed["enum"]:
        return given
    if given.get("type") == "array":
        return {**given, "items": {**given["items"], **allowed}}
    return {**given, **allowed}


def _needed(part: Any, known: Mapping[str, Any]) -> dict[str, Any]:
    """All definitions that ``part`` refers to, and those that they refer to."""
    found: dict[str, Any] = {}
    for name in _names(part):
        _gather(name, known, found)
    return found


def _gather(name: str, known: Mapping[str, Any], found: dict[str, Any]) -> None:
    if name in found:
        return
    found[name] = known[name]
    for other in _names(known[name]):
        _gather(other, known, found)


def _names(part: Any) -> Iterator[str]:
    yield from REFERENCE.findall(json.dumps(part))
