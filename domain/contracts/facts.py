"""A specification as a flat set of facts: Swagger 2.0 and OpenAPI 3 come out alike."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Literal

from domain.contracts.prose import rate
from domain.contracts.schemas import Fact, Schemas
from domain.errors import BadInput

Part = Literal["address", "operation", "parameter", "request", "response"]
METHODS = ("get", "put", "post", "patch", "delete", "head", "options")
JSON = "application/json"
MOST_FACTS = 500_000
"""Magento, the largest we know, has 25,000; what repeats itself in YAML may have any number."""


@dataclass(frozen=True, order=True)
class Where:
    """A place in a specification: an operation (``METHOD /path``), a part of it, a name there."""

    operation: str
    part: Part
    name: str = ""

    @property
    def parent(self) -> "Where | None":
        """
        >>> Where("GET /orders", "response", "orders[].orderId").parent.name
        'orders'
        """
        if self.part in ("address", "operation"):
            return None
        if self.part == "parameter" or not self.name:
            return Where(self.operation, "operation")
        above = self.name.rpartition(".")[0]
        return replace(self, name=above.rstrip("[]"))

    def __str__(self) -> str:
        if self.part == "address":
            return "the API's address"
        if self.part == "operation":
            return self.operation
        return f"{self.operation} {self.part} {self.name or 'as a whole'}"


Facts = Mapping[Where, Fact]


def facts_of(document: Any) -> Facts:
    """Raises BadInput for what is neither Swagger 2.0 nor OpenAPI 3, and for a malformed one."""
    if not isinstance(document, Mapping) or not isinstance(document.get("paths"), Mapping):
        raise BadInput("the specification is neither Swagger 2.0 nor OpenAPI 3: it has no paths")
    try:
        return _facts(document)
    except (AttributeError, TypeError, LookupError, RecursionError) as error:
        raise BadInput(f"the specification is malformed: {error!r}"[:300]) from error


def _facts(document: Mapping[str, Any]) -> Facts:
    about = str((document.get("info") or {}).get("description") or "")
    facts = {Where("", "address"): Fact(type=_address(document), description=about)}
    schemas = Schemas(document)
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                reader = _Reader(schemas, f"{method.upper()} {path}", item[method])
                facts.update(islice(reader.facts(item.get("parameters") or ()), MOST_FACTS))
        if len(facts) >= MOST_FACTS:
            raise BadInput(f"the specification has over {MOST_FACTS} parameters and fields")
    return facts


def _address(document: Mapping[str, Any]) -> str:
    """Host and base path, or the first server."""
    if "swagger" in document:
        return f"{document.get('host', '')}{document.get('basePath', '')}"
    servers = document.get("servers") or [{}]
    address = str(servers[0].get("url", ""))
    for name, variable in (servers[0].get("variables") or {}).items():
        address = address.replace("{" + str(name) + "}", str(variable.get("default", "")))
    return address.partition("://")[2] or address


@dataclass(frozen=True)
class _Reader:
    """One operation of a specification."""

    schemas: Schemas
    call: str
    operation: Mapping[str, Any]

    def facts(self, shared: Any) -> Iterator[tuple[Where, Fact]]:
        """``shared`` are parameters of all operations of the path."""
        yield Where(self.call, "operation"), self._itself()
        for parameter in (*shared, *(self.operation.get("parameters") or ())):
            yield from self._parameter(self._followed(parameter))
        body = self._followed(self.operation.get("requestBody") or {})
        yield from self._fields("request", _content(body))
        yield from self._fields("response", self._answer())

    def _itself(self) -> Fact:
        words = str(self.operation.get("description") or self.operation.get("summary") or "")
        deprecated = bool(self.operation.get("deprecated"))
        return Fact(rate=rate(words), deprecated=deprecated, description=words)

    def _parameter(self, parameter: Mapping[str, Any]) -> Iterator[tuple[Where, Fact]]:
        if parameter.get("in") == "body":
            yield from self._fields("request", parameter.get("schema"))
            return
        schema = parameter.get("schema") or _content(parameter) or {}
        told = {name: value for name, value in parameter.items() if name != "required"}
        fact = self.schemas.fact({**schema, **told}, required=bool(parameter.get("required")))
        yield Where(self.call, "parameter", parameter["name"]), replace(fact, within=told["in"])

    def _fields(self, part: Part, schema: Any) -> Iterator[tuple[Where, Fact]]:
        if schema:
            for path, fact in self.schemas.fields(schema):
                yield Where(self.call, part, path), fact

    def _answer(self) -> Any:
        """The schema of the first answer that says it worked and has one."""
        answers = self.operation.get("responses") or {}
        good = sorted(str(code) for code in answers if str(code).startswith("2"))
        told = (self._followed(_by_text(answers, code)) for code in good)
        return next(filter(None, (one.get("schema") or _content(one) for one in told)), None)

    def _followed(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        return self.schemas.at(node["$ref"]) if "$ref" in node else node


def _by_text(answers: Mapping[Any, Any], code: str) -> Mapping[str, Any]:
    """YAML reads an unquoted 200 as a number."""
    return next(answer for name, answer in answers.items() if str(name) == code)


def _content(node: Mapping[str, Any]) -> Any:
    """The schema of JSON, or of whatever comes first, in OpenAPI 3."""
    content = node.get("content") or {}
    chosen: Mapping[str, Any] = content.get(JSON) or next(iter(content.values()), {})
    return chosen.get("schema")
