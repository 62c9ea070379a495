"""Which changes of a specification break a client."""

import copy
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from domain.channel import Rate
from domain.contracts.facts import facts_of
from domain.contracts.findings import Found
from domain.contracts.judgement import findings
from domain.contracts.surface import End, Operation, Surface

PATH = "/orders"
PLAN = "| Rate | Burst |\n|---|---|\n| 2 | 20 |"
SPECIFICATION: dict[str, Any] = {
    "swagger": "2.0",
    "host": "api.test",
    "paths": {
        PATH: {
            "get": {
                "description": f"Returns orders.\n\n{PLAN}",
                "parameters": [
                    {"name": "since", "in": "query", "type": "string"},
                    {"name": "size", "in": "query", "type": "integer", "maximum": 100},
                    {"name": "show", "in": "query", "type": "string", "enum": ["LINES", "TAX"]},
                    {"name": "unsent", "in": "query", "type": "string"},
                ],
                "responses": {"200": {"schema": {"$ref": "#/definitions/Orders"}}},
            },
            "post": {
                "parameters": [
                    {"name": "body", "in": "body", "schema": {"$ref": "#/definitions/Line"}}
                ],
                "responses": {"201": {"description": "Taken."}},
            },
        },
        "/labels": {
            "get": {"parameters": [], "responses": {"200": {"schema": {"type": "string"}}}}
        },
    },
    "definitions": {
        "Orders": {
            "type": "object",
            "required": ["orders"],
            "properties": {
                "orders": {"type": "array", "items": {"$ref": "#/definitions/Order"}},
                "nextToken": {"type": "string"},
            },
        },
        "Order": {
            "type": "object",
            "required": ["id"],
            "properties": {
                "id": {"type": "string"},
                "status": {"type": "string", "enum": ["OPEN", "SHIPPED"]},
                "gift": {"type": "boolean"},
            },
        },
        "Line": {
            "type": "object",
            "properties": {
                "sku": {"type": "string"},
                "note": {"type": "string"},
                "wrapping": {"type": "object", "properties": {"paper": {"type": "string"}}},
            },
        },
    },
}
SURFACE = Surface(
    "test",
    ("Orders API",),
    (
        Operation(
            call="GET /orders",
            sends=("since", "size", "show"),
            reads=("orders[].id", "orders[].status", "nextToken"),
            values={"show": ("LINES",), "orders[].status": ("OPEN",)},
            most={"size": 100},
            rate=Rate(2, 20),
        ),
        Operation(call="POST /orders", writes=("sku",)),
    ),
)
Change = Callable[[dict[str, Any]], None]


def changed(change: Change) -> tuple[Found, ...]:
    after = copy.deepcopy(SPECIFICATION)
    change(after)
    return findings(facts_of(SPECIFICATION), facts_of(after), SURFACE)


def get(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["paths"][PATH]["get"]
    return found


def properties(document: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = document["definitions"][name]["properties"]
    return found


def parameter(document: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = (one for one in get(document)["parameters"] if one["name"] == name)
    return found


def renamed(document: dict[str, Any]) -> None:
    orders = properties(document, "Orders")
    orders["cursor"] = orders.pop("nextToken")


def without_since(document: dict[str, Any]) -> None:
    get(document)["parameters"].remove(parameter(document, "since"))


def newly_required(document: dict[str, Any]) -> None:
    get(document)["parameters"].append(
        {"name": "site", "in": "query", "type": "string", "required": True}
    )


def newly_required_in_the_body(document: dict[str, Any]) -> None:
    document["definitions"]["Line"]["required"] = ["note"]


def slower(document: dict[str, Any]) -> None:
    get(document)["description"] = get(document)["description"].replace("| 2 |", "| 0.5 |")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (renamed, "response nextToken is missing, renamed to cursor"),
        (without_since, "parameter since is missing"),
        (newly_required, "parameter site is new and required"),
        (newly_required_in_the_body, "request note is required now"),
        (slower, "may be called 0.5 times a second with a burst of 20, was 2"),
        (lambda it: it.update(host="other.test"), "the API's address is other.test, was api.test"),
        (lambda it: it["paths"][PATH].pop("post"), "POST /orders is missing"),
        (lambda it: properties(it, "Order")["id"].update(type="integer"), "is integer, was string"),
        (lambda it: it["definitions"]["Order"].update(required=[]), "is no longer always there"),
        (lambda it: properties(it, "Order").pop("id"), "response orders[].id is missing"),
        (lambda it: properties(it, "Orders").pop("orders"), "response orders is missing"),
        (lambda it: parameter(it, "size").update(maximum=50), "size is at most 50, was 100"),
        (lambda it: parameter(it, "show").update(enum=["TAX"]), "show no longer LINES"),
        (lambda it: parameter(it, "since").update({"in": "header"}), "since goes in header"),
        (lambda it: parameter(it, "unsent").update(required=True), "unsent is required now"),
        (
            lambda it: properties(it, "Order")["id"].update({"x-nullable": True, "nullable": True}),
            "response orders[].id may be null now",
        ),
    ],
)  # fmt: skip
def test_what_touches_the_client_is_breaking(change: Change, said: str) -> None:
    broken = [f"{one.subject} {one.detail}" for one in changed(change) if one.kind == "breaking"]

    assert len(broken) == 1
    assert said in broken[0]


@pytest.mark.parametrize(
    "change",
    [
        lambda it: it["paths"].pop("/labels"),
        lambda it: it["paths"].update({"/new": it["paths"]["/labels"]}),
        lambda it: it["paths"]["/labels"]["get"]["responses"]["200"]["schema"].update(
            type="object"
        ),
        lambda it: properties(it, "Order").pop("gift"),
        lambda it: properties(it, "Order").update(parcel={"type": "string"}),
        lambda it: properties(it, "Line").update(size={"type": "string"}),
        lambda it: it["definitions"]["Order"].update(required=["id", "status"]),
        lambda it: properties(it, "Line")["wrapping"].update(required=["paper"]),
        lambda it: parameter(it, "unsent").update(type="integer"),
        lambda it: parameter(it, "since").update(required=True),
        lambda it: parameter(it, "show").update(enum=["LINES", "TAX", "MORE"]),
        lambda it: get(it)["parameters"].append({"name": "x", "in": "query", "type": "string"}),
        lambda it: properties(it, "Order")["id"].update(description="The order's own number."),
    ],
)
def test_everything_else_is_information(change: Change) -> None:
    assert {one.kind for one in changed(change)} == {"information"}


@pytest.mark.parametrize(
    "change",
    [
        lambda it: properties(it, "Order")["status"].update(enum=["OPEN", "SHIPPED", "LOST"]),
        lambda it: parameter(it, "size").update(maximum=200),
        lambda it: get(it).update(description=PLAN.replace("| 20 |", "| 40 |")),
        lambda it: get(it).update(description="Returns orders."),
    ],
)
def test_what_a_client_may_have_to_learn_is_a_warning(change: Change) -> None:
    assert "warning" in {one.kind for one in changed(change)}
    assert "breaking" not in {one.kind for one in changed(change)}


def test_a_value_that_is_relied_on_and_gone_from_answers_is_breaking() -> None:
    found = changed(lambda it: properties(it, "Order")["status"].update(enum=["SHIPPED"]))

    assert [one.kind for one in found] == ["breaking"]


def test_what_comes_with_another_type_is_no_new_name() -> None:
    def exchange(document: dict[str, Any]) -> None:
        orders = properties(document, "Orders")
        del orders["nextToken"]
        orders["nextPage"] = {"type": "integer"}

    assert [(one.kind, one.detail) for one in changed(exchange)] == [
        ("breaking", "is missing"),
        ("information", "response nextPage is new"),
    ]


def test_a_required_newcomer_is_never_taken_for_a_new_name_only() -> None:
    def exchange(document: dict[str, Any]) -> None:
        get(document)["parameters"].remove(parameter(document, "unsent"))
        newly_required(document)

    broken = [one for one in changed(exchange) if one.kind == "breaking"]

    assert [one.subject for one in broken] == ["GET /orders parameter site"]


def test_information_is_told_by_operation_and_counted() -> None:
    def ten(document: dict[str, Any]) -> None:
        properties(document, "Order").update({f"new{n}": {"type": "string"} for n in range(10)})

    (found,) = changed(ten)

    assert found.subject == "GET /orders"
    assert found.detail.endswith("; and 5 more")


def test_the_same_twice_says_nothing() -> None:
    assert changed(lambda it: None) == ()


def test_the_first_time_a_specification_is_held_against_the_client() -> None:
    assert findings(None, facts_of(SPECIFICATION), SURFACE) == ()


def test_nothing_is_missing_in_an_object_whose_fields_are_not_described() -> None:
    after = copy.deepcopy(SPECIFICATION)
    after["definitions"]["Order"] = {"type": "object"}

    assert findings(None, facts_of(after), SURFACE) == ()
    assert "breaking" in {one.kind for one in changed(lambda it: it.update(after))}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (renamed, "GET /orders response nextToken is missing"),
        (newly_required, "GET /orders parameter site is new and required"),
        (slower, "GET /orders may be called 0.5 times a second"),
        (lambda it: it["paths"].pop(PATH), "GET /orders is missing"),
        (lambda it: parameter(it, "size").update(maximum=50), "size is at most 50, was 100"),
        (lambda it: parameter(it, "show").update(enum=["TAX"]), "show no longer LINES"),
    ],
)
def test_what_does_not_fit_the_first_time_is_breaking(change: Change, said: str) -> None:
    after = copy.deepcopy(SPECIFICATION)
    change(after)

    found = findings(None, facts_of(after), SURFACE)

    assert {one.kind for one in found} == {"breaking"}
    assert any(said in f"{one.subject} {one.detail}" for one in found)


def test_what_ends_is_a_deprecation_with_its_date() -> None:
    def ending(document: dict[str, Any]) -> None:
        get(document)["description"] += "\n\nThis operation will be removed on March 27, 2027."
        get(document)["deprecated"] = True
        properties(document, "Order")["gift"]["deprecated"] = True

    found = [one for one in changed(ending) if one.kind == "deprecation"]

    assert [(one.subject, one.decided_on) for one in found] == [
        ("GET /orders", None),
        ("GET /orders", date(2027, 3, 27)),
    ]


def test_what_a_channel_ends_by_its_rules_is_counted_down() -> None:
    ends = (End("API version 1", date(2027, 10, 1), "is pinned"),)

    found = findings(None, facts_of(SPECIFICATION), Surface("test", (), ends=ends))

    assert found == (Found("deprecation", "API version 1", "is pinned", date(2027, 10, 1)),)
