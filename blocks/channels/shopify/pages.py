"""A connection read page by page, each node with all that is paged inside it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from blocks.channels.reading import Tally
from blocks.channels.shopify.admin import Admin
from blocks.channels.shopify.rows import nodes
from blocks.channels.shopify_documents import LEVELS, LINES, STOCK_OF

SKUS_AT_ONCE = 40
REST = {"inventoryLevels": (LEVELS, "inventoryItem"), "lineItems": (LINES, "order")}
"""How the pages after the first of a connection inside a node are had."""


class Pages:
    """Raises Incomplete where a page cannot be had, or was read before."""

    def __init__(self, admin: Admin) -> None:
        self._admin = admin

    def nodes(
        self, name: str, document: str, variables: Mapping[str, Any], tally: Tally
    ) -> Iterator[dict[str, Any]]:
        after = None
        while True:
            page = self._admin.ask(document, {**variables, "after": after}, tally)[name]
            tally.pages += 1
            found = nodes(page)
            if found:
                tally.new(found[0]["id"])
            for node in found:
                yield self._whole(node, tally)
            if not page["pageInfo"]["hasNextPage"]:
                return
            after = page["pageInfo"]["endCursor"]

    def items(self, skus: Sequence[str], tally: Tally) -> Iterator[dict[str, Any]]:
        """Inventory items with one of these SKUs, letter by letter."""
        for at in range(0, len(skus), SKUS_AT_ONCE):
            some = skus[at : at + SKUS_AT_ONCE]
            query = {"query": " OR ".join(map(_is, some))}
            for item in self.nodes("inventoryItems", STOCK_OF, query, tally):
                if item["sku"] in some:
                    yield item

    def _whole(self, node: dict[str, Any], tally: Tally) -> dict[str, Any]:
        for name in REST.keys() & node.keys():
            document, root = REST[name]
            inner = node[name]
            while inner["pageInfo"]["hasNextPage"]:
                more = {"id": node["id"], "after": inner["pageInfo"]["endCursor"]}
                following = self._admin.ask(document, more, tally)[root][name]
                inner = {**following, "edges": inner["edges"] + following["edges"]}
            node = {**node, name: inner}
        return node


def _is(sku: str) -> str:
    escaped = sku.replace("\\", "\\\\").replace("'", "\\'")
    return f"sku:'{escaped}'"
