"""Setting stock levels: all of a call or nothing, once per key, against what was there."""

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import GraphQLError, GraphQLResolveInfo, get_directive_values

from examples.marketplace.shopify.store import MOST_ROWS, Store

MOST_UNITS = 1_000_000_000
NAMES = ("available", "on_hand")
REASONS = (
    "correction", "cycle_count_available", "damaged", "movement_canceled", "movement_created",
    "movement_received", "movement_updated", "other", "promotion", "quality_control", "received",
    "reservation_created", "reservation_deleted", "reservation_updated", "restock", "safety_stock",
    "shrinkage",
)  # fmt: skip
Entry = Mapping[str, Any]


class Quantities:
    """Source: https://shopify.dev/docs/api/admin-graphql/latest/mutations/inventorySetQuantities"""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._done: dict[str, Entry] = {}

    def root(self) -> dict[str, Any]:
        return {"inventorySetQuantities": self._set}

    def _set(self, info: "GraphQLResolveInfo[Any]", input: Entry) -> dict[str, Any]:
        key = _key(info)
        if len(input["quantities"]) > MOST_ROWS:
            raise _bad(f"The input array size is greater than the maximum allowed of {MOST_ROWS}.")
        if any("changeFromQuantity" not in one for one in input["quantities"]):
            raise _bad("InventoryQuantityInput must include the argument: changeFromQuantity.")
        if key in self._done and self._done[key] != input:
            return {"userErrors": [_error("IDEMPOTENCY_KEY_PARAMETER_MISMATCH", (), "other input")]}
        errors = [] if key in self._done else list(self._errors(input))
        if not errors and key not in self._done:
            self._done[key] = input
            for one in input["quantities"]:
                self._apply(one, input["name"])
        return {"userErrors": errors}

    def _errors(self, input: Entry) -> Iterator[dict[str, Any]]:
        if input["name"] not in NAMES:
            said = "The quantity name must be either 'available' or 'on_hand'."
            yield _error("INVALID_NAME", ("name",), said)
        if input["reason"] not in REASONS:
            yield _error("INVALID_REASON", ("reason",), "The specified reason is invalid.")
        pairs = [(one["inventoryItemId"], one["locationId"]) for one in input["quantities"]]
        for at, one in enumerate(input["quantities"]):
            for code, name, said in self._against(one, input["name"], pairs):
                yield _error(code, ("quantities", str(at), name), said)

    def _against(
        self, one: Entry, name: str, pairs: list[tuple[str, str]]
    ) -> Iterator[tuple[str, str, str]]:
        item, location = one["inventoryItemId"], one["locationId"]
        here = self._units(item, location, name)
        if pairs.count((item, location)) > 1:
            said = "The combination of inventoryItemId and locationId must be unique."
            yield "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR", "inventoryItemId", said
        if self._store.sku(item) is None:
            said = "The specified inventory item could not be found."
            yield "INVALID_INVENTORY_ITEM", "inventoryItemId", said
        elif here is None:
            yield "INVALID_LOCATION", "locationId", "The specified location could not be found."
        elif one["quantity"] < 0:
            yield "INVALID_QUANTITY_NEGATIVE", "quantity", "The quantity can't be negative."
        elif one["quantity"] > MOST_UNITS:
            said = f"The total quantity can't be higher than {MOST_UNITS:,}."
            yield "INVALID_QUANTITY_TOO_HIGH", "quantity", said
        elif one["changeFromQuantity"] not in (None, here):
            said = "The changeFromQuantity value does not match persisted value."
            yield "CHANGE_FROM_QUANTITY_STALE", "changeFromQuantity", said

    def _units(self, item: str, location: str, name: str) -> int | None:
        """None where the item is not kept."""
        sku = self._store.sku(item)
        if sku is None:
            return None
        level = self._store.market.account.last(sku)
        here = dict(self._store.places(sku, level)).get(location)
        return here if here is None or name == "available" else here + level.reserved

    def _apply(self, one: Entry, name: str) -> None:
        sku = self._store.sku(one["inventoryItemId"])
        before = self._units(one["inventoryItemId"], one["locationId"], name)
        assert sku is not None
        assert before is not None
        account = self._store.market.account
        change = one["quantity"] - before
        self._store.shift(sku, one["locationId"], change)
        total = account.last(sku).fulfillable + change
        account.set_stock(sku, total, self._store.market.clock())


def _key(info: "GraphQLResolveInfo[Any]") -> str:
    directive = info.schema.get_directive("idempotent")
    assert directive is not None
    given = get_directive_values(directive, info.field_nodes[0], info.variable_values)
    if not given:
        raise _bad("The @idempotent directive is required for this mutation but was not provided.")
    key = str(given["key"])
    if not key.strip():
        raise _bad("The idempotency key cannot be empty.")
    return key


def _error(code: str, field: tuple[str, ...], message: str) -> dict[str, Any]:
    return {"code": code, "field": ["input", *field], "message": message}


def _bad(message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"code": "BAD_REQUEST"})
