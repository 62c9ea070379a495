"""Listings Items 2021-08-01: a JSON patch of what the merchant offers."""

from typing import Any

from examples.marketplace.amazon.listings import PATH
from examples.marketplace.amazon.operation import Asked, Operation, ours, wrong
from examples.marketplace.market import Market

OPS = ("add", "replace", "merge", "delete")
QUANTITY = "/attributes/fulfillment_availability"
MOST_UNITS = 2_147_483_647
"""Above it the number cannot even be read."""


def patch(market: Market, asked: Asked) -> dict[str, Any]:
    """Like Amazon it accepts a SKU that nobody listed, of which shoppers then see nothing."""
    ours(asked)
    preview = asked.one_of("mode", ("", "VALIDATION_PREVIEW"), "")
    asked.some_of("includedData", ("identifiers", "issues"))
    sku = asked.path["sku"]
    patches = _patches(asked.body)
    issues = [issue for one in patches for issue in _issues(one)]
    status = "INVALID" if issues else "VALID" if preview else "ACCEPTED"
    if status == "ACCEPTED" and sku in market.account.levels:
        for one in patches:
            market.account.set_stock(sku, _level(one), market.clock())
    return {
        "sku": sku,
        "status": status,
        "submissionId": f"{market.clock().timestamp():.6f}".replace(".", ""),
        "issues": issues,
    }


def _patches(body: Any) -> list[dict[str, Any]]:
    """Raises Problem for a body that is not the model's."""
    patches = body.get("patches") if isinstance(body, dict) else None
    if not (isinstance(patches, list) and patches and isinstance(body.get("productType"), str)):
        raise wrong("productType and at least one of patches are needed")
    if not all(_is_patch(one) for one in patches):
        raise wrong(f"a patch needs a path and an op of {', '.join(OPS)}")
    return patches


def _is_patch(one: Any) -> bool:
    if (
        not isinstance(one, dict)
        or one.get("op") not in OPS
        or not isinstance(one.get("path"), str)
    ):
        return False
    values = one.get("value", [])
    return isinstance(values, list) and all(isinstance(value, dict) for value in values)


def _issues(one: dict[str, Any]) -> list[dict[str, Any]]:
    if one["path"] != QUANTITY:
        return [_issue(one["path"].rpartition("/")[2], "The attributes are invalid.")]
    return [
        _issue("fulfillment_availability", said)
        for value in one.get("value") or [{}]
        for said in _said(one["op"], value)
    ]


def _said(op: str, value: dict[str, Any]) -> list[str]:
    if value.get("fulfillment_channel_code") != "DEFAULT":
        return ["The field 'fulfillment_channel_code' must be DEFAULT for a merchant's listing."]
    quantity = value.get("quantity")
    if op != "delete" and not (type(quantity) is int and quantity >= 0):
        return [f"The field 'quantity' must be at least 0, not {quantity!r}."]
    if op != "delete" and (quantity or 0) > MOST_UNITS:
        raise wrong("Request has missing or invalid parameters and cannot be parsed.")
    return []


def _issue(attribute: str, message: str) -> dict[str, Any]:
    return {
        "code": "90000900",
        "message": message,
        "severity": "ERROR",
        "attributeNames": [attribute],
        "categories": ["INVALID_ATTRIBUTE"],
    }


def _level(one: dict[str, Any]) -> int:
    """The units offered after the patch; a deleted offer has none."""
    return 0 if one["op"] == "delete" else int(one["value"][-1]["quantity"])


OPERATIONS = (Operation("patch", "PATCH", PATH + "/{sku:path}", 5, 5, patch),)
