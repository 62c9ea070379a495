"""Changes of GraphQL schemas, small ones and Shopify's: which of them break our documents."""

import copy
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLSchema, build_schema, introspection_from_schema

from blocks.channels import shopify_documents
from blocks.contracts import graphql, published
from blocks.contracts.compare import SHOPIFY, compared
from blocks.contracts.documents import Documents
from domain.contracts.findings import Found
from domain.contracts.surface import Surface
from domain.contracts.surfaces import SURFACES, shopify
from domain.errors import BadInput

SPECS = Path(__file__).parents[2].parent / "shared" / "specs"
SCHEMA = """
type Query {
  orders(first: Int!, state: State): [Order!]!
  labels(first: Int): [String!]
}
type Mutation {
  "Sets the stock."
  setStock(input: StockInput!): Int
}
type Order { id: ID!  status: Status  gift: Boolean  total: Float }
enum State { OPEN CLOSED }
enum Status { PAID PENDING }
input StockInput { sku: String!  quantity: Int!  note: String }
directive @idempotent(key: String!) on FIELD
"""
DOCUMENTS = Documents(
    {
        "ORDERS": "query ($first: Int!) { orders(first: $first, state: OPEN) { id status } }",
        "SET": "mutation ($input: StockInput!) { setStock(input: $input) }",
    },
    {"ORDERS": {"first": 5}, "SET": {"input": {"sku": "TEA", "quantity": 1}}},
)
SURFACE = Surface("test", ("API",), documents=True, values={"Status": ("PAID",)})


def schema(*changes: tuple[str, str]) -> GraphQLSchema:
    text = SCHEMA
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return build_schema(text)


def said(*changes: tuple[str, str]) -> set[tuple[str, str]]:
    """Kind and subject of what a change means."""
    found = graphql.findings(schema(), schema(*changes), DOCUMENTS, SURFACE)
    return {(one.kind, one.subject) for one in found}


@pytest.mark.parametrize(
    ("old", "new", "subject"),
    [
        ("status: Status ", "", "Order.status"),
        ("status: Status ", "status: String ", "Order.status"),
        ("orders(first: Int!, ", "orders(", "Query.orders(first:)"),
        ("orders(first", "orders(site: ID!, first", "Query.orders(site:)"),
        ("OPEN CLOSED", "CLOSED", "State.OPEN"),
        ("PAID PENDING", "PENDING", "Status.PAID"),
        ("note: String", "note: String!", "document SET"),
        ("quantity: Int!", "quantity: String!", "StockInput.quantity"),
        ("note: String", "note: String site: ID!", "StockInput.site"),
    ],
)
def test_what_touches_a_document_is_breaking(old: str, new: str, subject: str) -> None:
    assert ("breaking", subject) in said((old, new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("gift: Boolean ", ""),
        ("total: Float", "total: String"),
        ("OPEN CLOSED", "OPEN"),
        ("PAID PENDING", "PAID"),
        ("labels(first: Int)", "labels"),
        ("note: String", "note: String site: ID"),
        (" note: String", ""),
        ("CLOSED", "CLOSED LATE"),
    ],
)
def test_what_no_document_uses_is_information(old: str, new: str) -> None:
    assert {kind for kind, _ in said((old, new))} == {"information"}


def test_a_new_value_among_those_relied_on_is_a_warning() -> None:
    assert said(("PAID PENDING", "PAID PENDING LOST")) == {("warning", "Status.LOST")}


def test_the_same_twice_says_nothing() -> None:
    assert said() == set()


def test_deprecated_fields_in_use_are_told_with_their_date() -> None:
    reason = '@deprecated(reason: "Use state. Removed on 2027-01-01.")'
    changes = ("status: Status ", f"status: Status {reason} "), ("gift: Boolean", "gift: Int")

    found = graphql.findings(None, schema(*changes), DOCUMENTS, SURFACE)

    assert found == (
        Found(
            "deprecation", "Order.status", "is deprecated: Use state. Removed on 2027-01-01.",
            date(2027, 1, 1),
        ),
    )  # fmt: skip


def test_a_document_that_is_no_longer_valid_is_breaking_without_anything_to_compare_with() -> None:
    (found,) = graphql.findings(None, schema(("status: Status ", "")), DOCUMENTS, SURFACE)

    assert (found.kind, found.subject) == ("breaking", "document ORDERS")
    assert "Cannot query field 'status'" in found.detail


def test_variables_are_checked_where_the_document_stays_valid() -> None:
    after = schema(("note: String", "note: String!"))

    found = graphql.findings(None, after, DOCUMENTS, SURFACE)

    assert [(one.kind, one.subject) for one in found] == [("breaking", "document SET")]
    assert "note" in found[0].detail


def test_what_is_mandatory_in_words_only_is_found() -> None:
    words = '"This field is mandatory: you must pass a value, even if it is `null`." note: String'
    key = '"The key is required and must be provided using the `@idempotent` directive."'
    after = schema(("note: String", words), ('"Sets the stock."', key))

    found = graphql.findings(None, after, DOCUMENTS, SURFACE)

    assert {one.detail for one in found} == {
        "variable input.note is not sent and is mandatory",
        "setStock is not sent with @idempotent: required",
    }


def test_what_is_no_introspection_is_refused() -> None:
    for content in (b"{}", b"[]", b'{"data": {"__schema": {}}}'):
        with pytest.raises(BadInput, match="no introspection"):
            compared(SURFACES["shopify"], None, content)


def test_the_client_and_its_surface_pin_the_same_version() -> None:
    assert shopify_documents.VERSION == shopify.VERSION


def shopifys(version: str) -> bytes:
    if not SPECS.exists():
        pytest.skip("the official schemas are not beside this copy of the project")
    return published.text_at(f"shopify/admin_{version}.json.gz", SPECS, 10)


def test_shopifys_documents_fit_its_schema() -> None:
    found = compared(SURFACES["shopify"], None, shopifys("2026-10"))

    assert [(one.kind, one.subject) for one in found] == [("deprecation", "API version 2026-10")]


def test_between_two_versions_of_shopify_only_what_is_used_matters() -> None:
    found = compared(SURFACES["shopify"], shopifys("2026-07"), shopifys("2026-10"))

    assert [one.subject for one in found if one.kind == "warning"] == [
        "OrderDisplayFulfillmentStatus.FULFILLMENT_NOT_REQUIRED"
    ]
    assert not [one for one in found if one.kind == "breaking"]
    (removed,) = (one for one in found if one.subject == "type removed")
    assert removed.kind == "information"
    assert "PriceRule" in removed.detail


OLD = """
mutation SetQuantities($input: InventorySetQuantitiesInput!) {
  inventorySetQuantities(input: $input) { userErrors { code field message } }
}
"""
"""As a client of 2025-10 wrote it."""


def of_2025(**other: Any) -> Documents:
    level = {"inventoryItemId": "gid://shopify/InventoryItem/1", "quantity": 10,
             "locationId": "gid://shopify/Location/1"}  # fmt: skip
    sent = {"name": "available", "reason": "correction", "quantities": [level], **other}
    return Documents({"SET": OLD}, {"SET": {"input": sent}})


def test_a_client_of_2025_has_a_valid_document_and_variables_that_are_refused() -> None:
    after = graphql.schema_of(published.understood(shopifys("2026-10"), "Shopify"))

    found = graphql.findings(None, after, of_2025(ignoreCompareQuantity=True), SURFACE)

    (refused,) = (one.detail for one in found if "$input" in one.detail)
    assert "ignoreCompareQuantity" in refused
    assert not [one for one in found if "Cannot query" in one.detail]


def test_what_shopify_made_mandatory_in_words_in_2026_04_is_breaking() -> None:
    after = graphql.schema_of(published.understood(shopifys("2026-10"), "Shopify"))

    found = graphql.findings(None, after, of_2025(), SURFACE)

    assert {one.detail for one in found} == {
        "variable input.quantities[0].changeFromQuantity is not sent and is mandatory",
        "inventorySetQuantities is not sent with @idempotent: required",
    }


def test_a_field_that_shopifys_documents_read_and_that_goes_is_breaking() -> None:
    before = published.understood(shopifys("2026-10"), "Shopify")
    after = copy.deepcopy(before)
    types = {one["name"]: one for one in after["data"]["__schema"]["types"]}
    order = types["Order"]
    order["fields"] = [one for one in order["fields"] if one["name"] != "updatedAt"]

    found = graphql.findings(
        graphql.schema_of(before), graphql.schema_of(after), SHOPIFY, SURFACES["shopify"]
    )

    broken = {one.subject for one in found if one.kind == "breaking"}
    assert broken >= {"Order.updatedAt", "document ORDERS"}


def test_a_small_schema_passes_through_the_whole_comparison() -> None:
    document = introspection_from_schema(schema())

    assert graphql.schema_of({"data": document}).type_map.keys() == schema().type_map.keys()
