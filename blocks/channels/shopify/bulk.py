"""A bulk operation: Shopify writes all rows into a file, which is read line by line."""

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx

from blocks.channels.calls import LIMIT_SECONDS
from blocks.channels.reading import Incomplete, Tally
from blocks.channels.shopify.admin import Admin
from blocks.channels.shopify_documents import BULK, RUN_BULK

POLL_SECONDS, MOST_POLL_SECONDS = 1.0, 30.0
MOST_SECONDS = 1800.0
UNDER_WAY = ("CREATED", "RUNNING")
CHILDREN = {
    "InventoryLevel": "inventoryLevels",
    "ProductVariant": "variants",
    "LineItem": "lineItems",
}
"""The connection of a child by the type in its id."""


class Bulk:
    """Nodes come with their children inside, as pages have them.

    Source: https://shopify.dev/docs/api/usage/bulk-operations/queries
    """

    def __init__(
        self, admin: Admin, now: Callable[[], datetime], pause: Callable[[float], None]
    ) -> None:
        self._admin = admin
        self._now = now
        self._pause = pause

    def nodes(self, query: str, tally: Tally) -> Iterator[dict[str, Any]]:
        """Raises Incomplete when the operation fails or its file is not whole."""
        done = self._finished(self._begun(query, tally), tally)
        tally.reported = int(done["rootObjectCount"])
        whole = int(done["objectCount"])
        lines = _counted(_downloaded(done["url"]) if done["url"] else (), whole)
        tally.pages += 1
        return _grouped(lines)

    def _begun(self, query: str, tally: Tally) -> str:
        answer = self._admin.ask(RUN_BULK, {"query": query}, tally)["bulkOperationRunQuery"]
        if answer["userErrors"]:
            raise Incomplete(f"no bulk operation: {answer['userErrors'][0]['message']}")
        operation: str = answer["bulkOperation"]["id"]
        return operation

    def _finished(self, operation: str, tally: Tally) -> dict[str, Any]:
        deadline = self._now() + timedelta(seconds=MOST_SECONDS)
        pause = POLL_SECONDS
        while self._now() < deadline:
            found: dict[str, Any] = self._admin.ask(BULK, {"id": operation}, tally)["bulkOperation"]
            if found["status"] == "COMPLETED":
                return found
            if found["status"] not in UNDER_WAY:
                raise Incomplete(f"the bulk operation is {found['status']}: {found['errorCode']}")
            self._pause(pause)
            pause = min(2 * pause, MOST_POLL_SECONDS)
        raise Incomplete(f"the bulk operation did not end within {MOST_SECONDS:g} s")


def _downloaded(url: str) -> Iterator[dict[str, Any]]:
    """From where the address leads: the shop's token is not sent there."""
    try:
        with httpx.stream("GET", url, timeout=LIMIT_SECONDS) as answer:
            if not answer.is_success:
                raise Incomplete(f"the bulk operation's file: {answer.status_code}")
            for line in answer.iter_lines():
                yield json.loads(line)
    except (httpx.TransportError, ValueError) as error:
        raise Incomplete(f"the bulk operation's file broke off: {error}") from error


def _counted(lines: Iterable[dict[str, Any]], whole: int) -> Iterator[dict[str, Any]]:
    read = 0
    for line in lines:
        read += 1
        yield line
    if read != whole:
        raise Incomplete(f"the bulk operation's file has {read} objects of {whole}")


def _grouped(lines: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Each node when its last child was read."""
    node: dict[str, Any] = {}
    for line in lines:
        parent = line.get("__parentId")
        if parent is None:
            if node:
                yield node
            node = line | {name: {"edges": []} for name in CHILDREN.values()}
        elif parent != node.get("id"):
            raise Incomplete(f"the bulk operation's file is not grouped: {line['id']}")
        else:
            node[CHILDREN[line["id"].split("/")[3]]]["edges"].append({"node": line})
    if node:
        yield node
