"""Specifications of both kinds as facts."""

from typing import Any

import pytest

from domain.contracts import facts
from domain.contracts.facts import Where, facts_of
from domain.contracts.schemas import Fact
from domain.errors import BadInput

CALL = "GET /orders"


def swagger(schema: dict[str, Any], **definitions: Any) -> dict[str, Any]:
    """One operation that answers ``schema``."""
    answers = {"200": {"description": "Good.", "schema": schema}}
    return {
        "swagger": "2.0",
        "host": "api.test",
        "basePath": "/v1",
        "paths": {"/orders": {"get": {"responses": answers}}},
        "definitions": definitions,
    }


def openapi(schema: dict[str, Any], **schemas: Any) -> dict[str, Any]:
    """The same as OpenAPI 3."""
    answers = {"200": {"content": {"application/json": {"schema": schema}}}}
    return {
        "openapi": "3.0.3",
        "servers": [{"url": "https://api.test{at}", "variables": {"at": {"default": "/v1"}}}],
        "paths": {"/orders": {"get": {"responses": answers}}},
        "components": {"schemas": schemas},
    }


def answered(document: dict[str, Any]) -> dict[str, Fact]:
    return {
        where.name: fact for where, fact in facts_of(document).items() if where.part == "response"
    }


def test_both_kinds_of_specification_come_out_alike() -> None:
    order = {"type": "object", "properties": {"id": {"type": "string"}}}

    one = facts_of(swagger({"$ref": "#/definitions/Order"}, Order=order))
    other = facts_of(openapi({"$ref": "#/components/schemas/Order"}, Order=order))

    assert one == other
    assert one[Where("", "address")].type == "api.test/v1"


def test_fields_of_objects_in_arrays_have_dotted_paths() -> None:
    line = {"type": "object", "properties": {"sku": {"type": "string"}}, "required": ["sku"]}
    rows = {"type": "array", "items": {"type": "array", "items": {"$ref": "#/definitions/Line"}}}

    found = answered(swagger({"type": "object", "properties": {"rows": rows}}, Line=line))

    assert found["rows"].type == "array of array of object"
    assert found["rows[][].sku"] == Fact("string", required=True)


def test_the_parts_of_all_of_are_one_object() -> None:
    base = {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}
    own = {"properties": {"total": {"type": "number", "maximum": 10}}}

    found = answered(swagger({"allOf": [{"$ref": "#/definitions/Base"}, own]}, Base=base))

    assert found["id"].required
    assert (found["total"].type, found["total"].most) == ("number", 10)


def test_of_alternatives_every_field_is_there_and_none_is_certain() -> None:
    kinds = [
        {"type": "object", "properties": {name: {"type": "string"}}, "required": [name]}
        for name in ("card", "voucher")
    ]

    found = answered(openapi({"oneOf": kinds}))

    assert not found["card"].required
    assert not found["voucher"].required


def test_an_object_that_contains_itself_ends() -> None:
    item = {"type": "object", "properties": {"parent": {"$ref": "#/definitions/Item"}}}

    found = answered(swagger({"$ref": "#/definitions/Item"}, Item=item))

    assert list(found) == ["", "parent"]


@pytest.mark.parametrize(
    "told", [{"type": ["string", "null"]}, {"type": "string", "nullable": True}]
)
def test_null_is_read_from_both_spellings(told: dict[str, Any]) -> None:
    found = answered(openapi({"type": "object", "properties": {"note": told}}))

    assert found["note"] == Fact("string", nullable=True)


def test_parameters_are_read_with_place_limit_and_values() -> None:
    document = swagger({"type": "string"})
    document["paths"]["/orders"]["parameters"] = [
        {"name": "site", "in": "header", "type": "string", "required": True}
    ]
    document["paths"]["/orders"]["get"]["parameters"] = [
        {
            "name": "show",
            "in": "query",
            "type": "array",
            "items": {"enum": ["A"], "type": "string"},
        },
        {"name": "size", "in": "query", "type": "integer", "description": "At most 50 rows."},
        {"name": "body", "in": "body", "schema": {"properties": {"sku": {"type": "string"}}}},
    ]

    found = facts_of(document)

    assert found[Where(CALL, "parameter", "site")] == Fact("string", required=True, within="header")
    assert found[Where(CALL, "parameter", "show")].values == ("A",)
    assert found[Where(CALL, "parameter", "size")].most == 50
    assert found[Where(CALL, "request", "sku")].type == "string"


def test_a_status_that_yaml_read_as_a_number_is_found() -> None:
    document = swagger({"type": "string"})
    answers = document["paths"]["/orders"]["get"]["responses"]
    answers[200] = answers.pop("200")

    assert answered(document)[""].type == "string"


@pytest.mark.parametrize("document", [None, [], {"openapi": "3.0.0"}, {"paths": []}])
def test_what_is_no_specification_is_refused(document: Any) -> None:
    with pytest.raises(BadInput, match="neither Swagger"):
        facts_of(document)


@pytest.mark.parametrize(
    "item",
    [
        None,
        {"get": None},
        {"get": {"parameters": [{"in": "query"}]}},
        {"get": {"responses": {"200": {"schema": {"properties": ["id"]}}}}},
    ],
)
def test_a_malformed_specification_is_refused(item: Any) -> None:
    with pytest.raises(BadInput, match="malformed"):
        facts_of({"swagger": "2.0", "paths": {"/orders": item}})


def test_a_schema_that_is_its_own_part_is_refused() -> None:
    endless: dict[str, Any] = {"type": "array"}
    endless["items"] = endless

    with pytest.raises(BadInput, match="malformed"):
        facts_of(swagger(endless))


def test_a_schema_that_multiplies_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts, "MOST_FACTS", 1000)
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(8):
        schema = {"type": "object", "properties": dict.fromkeys("abcdefghi", schema)}

    with pytest.raises(BadInput, match="over 1000 parameters and fields"):
        facts_of(swagger(schema))


def test_a_reference_that_leads_nowhere_is_refused() -> None:
    with pytest.raises(BadInput, match="#/definitions/Gone leads nowhere"):
        facts_of(swagger({"$ref": "#/definitions/Gone"}))
