"""Points of a query: what it may cost before it runs, and what it did cost.

An object is 1, a connection 2 and its rows, a mutation 10. Shopify's own sum grows more slowly with
the rows of a connection; this is its older rule, the stricter one.
Source: https://shopify.dev/docs/api/usage/limits
"""

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import GraphQLNamedType, GraphQLObjectType, get_named_type
from graphql.language import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
)

from examples.marketplace.shopify.schema import SCHEMA

MOST_POINTS = 1000
MUTATION = 10


def requested(
    document: DocumentNode, operation: OperationDefinitionNode, variables: Mapping[str, Any]
) -> int:
    """Of a valid document, every page full."""
    fragments = {
        one.name.value: one
        for one in document.definitions
        if isinstance(one, FragmentDefinitionNode)
    }
    root = SCHEMA.get_root_type(operation.operation)
    points = _Points(fragments, variables).inside(operation.selection_set, root)
    return points + (MUTATION if operation.operation == OperationType.MUTATION else 0)


def actual(operation: OperationDefinitionNode, data: Mapping[str, Any]) -> int:
    """Of what came back."""
    points = sum(_paid(value) for value in data.values())
    return points + (MUTATION if operation.operation == OperationType.MUTATION else 0)


class _Points:
    def __init__(
        self, fragments: Mapping[str, FragmentDefinitionNode], variables: Mapping[str, Any]
    ) -> None:
        self._fragments = fragments
        self._variables = variables

    def inside(self, selected: SelectionSetNode, of: GraphQLNamedType | None) -> int:
        assert isinstance(of, GraphQLObjectType)
        return sum(self._of(one, of) for one in self._fields(selected))

    def _fields(self, selected: SelectionSetNode) -> Iterator[FieldNode]:
        for one in selected.selections:
            if isinstance(one, FieldNode):
                yield one
            elif isinstance(one, FragmentSpreadNode):
                yield from self._fields(self._fragments[one.name.value].selection_set)
            elif isinstance(one, InlineFragmentNode):
                yield from self._fields(one.selection_set)

    def _of(self, one: FieldNode, of: GraphQLObjectType) -> int:
        if one.selection_set is None or one.name.value.startswith("__"):
            return 0
        inner = get_named_type(of.fields[one.name.value].type)
        points = self.inside(one.selection_set, inner)
        if inner.name.endswith("Connection"):
            return 2 + self._first(one) * points
        return points if inner.name == "PageInfo" or inner.name.endswith("Edge") else points + 1

    def _first(self, one: FieldNode) -> int:
        given = next((arg.value for arg in one.arguments or () if arg.name.value == "first"), None)
        if isinstance(given, IntValueNode):
            return max(0, int(given.value))
        told = self._variables.get(given.name.value) if isinstance(given, VariableNode) else 0
        return max(0, told) if isinstance(told, int) else 0


def _paid(value: Any) -> int:
    if isinstance(value, list):
        return sum(map(_paid, value))
    if not isinstance(value, dict):
        return 0
    inner = sum(_paid(one) for name, one in value.items() if name != "pageInfo")
    if "edges" in value:
        return 2 + inner
    return inner if "node" in value else inner + 1
