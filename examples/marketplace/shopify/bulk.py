"""Bulk operations: a query over everything, its answer a file of one object a line."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from graphql import GraphQLError, GraphQLResolveInfo, execute_sync, parse, validate
from graphql.utilities import get_operation_ast

from examples.marketplace.market import Market
from examples.marketplace.shopify.schema import SCHEMA
from examples.marketplace.shopify.store import Everything, Store, text

TAKES_SECONDS = 20.0
MOST_AT_ONCE = 5
CONNECTIONS = ("inventoryItems", "orders")


@dataclass(frozen=True)
class Operation:
    number: int
    created_at: datetime
    ready_at: datetime
    roots: int
    lines: tuple[Mapping[str, Any], ...]

    @property
    def id(self) -> str:
        return f"gid://shopify/BulkOperation/{self.number}"


class BulkOperations:
    """They see the account as it is when they begin, and end ``TAKES_SECONDS`` / pace later."""

    def __init__(self, market: Market, store: Store) -> None:
        self._market = market
        self._store = store
        self._operations: list[Operation] = []

    def root(self) -> dict[str, Any]:
        return {"bulkOperationRunQuery": self._run, "bulkOperation": self._one}

    def file(self, number: int) -> str | None:
        """None while there is none; of a page that is left out or repeated it is a line here."""
        if not 1 <= number <= len(self._operations):
            return None
        operation = self._operations[number - 1]
        lines = operation.lines[: -1 if self._market.faults.page_gap else None]
        again = operation.lines[:1] if self._market.faults.repeat_page else ()
        return "".join(map(_written, (*again, *lines))) if self._is_ready(operation) else None

    def _run(self, info: "GraphQLResolveInfo[Any]", query: str, **asked: Any) -> dict[str, Any]:
        if sum(not self._is_ready(one) for one in self._operations) >= MOST_AT_ONCE:
            return _refused(
                "LIMIT_REACHED", "Bulk operations limit reached. Please try again later."
            )
        try:
            name = self._checked(query)
        except GraphQLError as error:
            return _refused("INVALID", f"Invalid bulk query: {error.message}")
        everything = self._store.root(Everything(self._market))
        result = execute_sync(SCHEMA, parse(query), everything)
        if result.errors or not result.data:
            return _refused("INVALID", "Invalid bulk query")
        operation = self._made(result.data[name]["edges"], asked["groupObjects"])
        self._operations.append(operation)
        return {"bulkOperation": self._shown(operation, info), "userErrors": []}

    def _checked(self, query: str) -> str:
        """The name of its one connection."""
        document = parse(query, max_tokens=5000)
        errors = validate(SCHEMA, document)
        operation = get_operation_ast(document)
        if errors or operation is None:
            raise errors[0] if errors else GraphQLError("no operation")
        fields = [getattr(one, "name", None) for one in operation.selection_set.selections]
        if len(fields) != 1 or fields[0] is None or fields[0].value not in CONNECTIONS:
            raise GraphQLError("it must have one top-level field, a connection")
        return str(fields[0].value)

    def _made(self, edges: list[dict[str, Any]], grouped: bool) -> Operation:
        lines = [line for edge in edges for line in _lines(edge["node"])]
        if not grouped:
            lines.sort(key=lambda line: "__parentId" in line)
        now = self._market.clock()
        return Operation(
            len(self._operations) + 1, now,
            now + timedelta(seconds=TAKES_SECONDS / self._market.pace),
            len(edges), tuple(lines),
        )  # fmt: skip

    def _one(self, info: "GraphQLResolveInfo[Any]", id: str) -> dict[str, Any] | None:
        found = next((one for one in self._operations if one.id == id), None)
        return self._shown(found, info) if found else None

    def _shown(self, operation: Operation, info: "GraphQLResolveInfo[Any]") -> dict[str, Any]:
        ready = self._is_ready(operation)
        url = f"{info.context['base']}bulk/{operation.number}.jsonl"
        return {
            "id": operation.id,
            "status": "COMPLETED" if ready else "RUNNING",
            "createdAt": text(operation.created_at),
            "completedAt": text(operation.ready_at) if ready else None,
            "objectCount": str(len(operation.lines) if ready else 0),
            "rootObjectCount": str(operation.roots if ready else 0),
            "url": url if ready and operation.lines else None,
        }

    def _is_ready(self, operation: Operation) -> bool:
        return self._market.clock() >= operation.ready_at


def _lines(node: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The node without its connections, then their nodes."""
    nested = {name: value for name, value in node.items() if _is_connection(value)}
    yield {name: value for name, value in node.items() if name not in nested}
    for connection in nested.values():
        for edge in connection["edges"]:
            yield {**edge["node"], "__parentId": node["id"]}


def _written(line: Mapping[str, Any]) -> str:
    return json.dumps(line) + "\n"


def _is_connection(value: Any) -> bool:
    return isinstance(value, dict) and "edges" in value


def _refused(code: str, message: str) -> dict[str, Any]:
    error = {"code": code, "field": ["query"], "message": message}
    return {"bulkOperation": None, "userErrors": [error]}
