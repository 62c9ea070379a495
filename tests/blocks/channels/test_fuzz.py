"""Every simulator under fire: whatever is asked, it answers as its document says."""

from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import response_schema_conformance

from examples.marketplace.account import SoldLine
from examples.marketplace.amazon import MARKETPLACE, SELLER
from tests.blocks.channels.market import Served, serving
from tests.blocks.channels.specs import AMAZON, MAGENTO, operation

EXAMPLES = 15
PACE = 1e6
"""So that no rate refuses what is fired."""
SKU = "TEA-001"
ORDERS = AMAZON / "orders_2026-01-01.json"
INVENTORY = AMAZON / "fbaInventory.json"
LISTINGS = AMAZON / "listingsItems_2021-08-01.json"
VALUES: dict[str, list[Any]] = {
    "marketplaceIds": [MARKETPLACE],
    "granularityId": [MARKETPLACE],
    "sellerId": [SELLER],
    "sku": [SKU],
    "orderId": ["111-0000001-0000001"],
    "x-amzn-idempotency-token": ["t-1"],
    "salesChannelType": ["website"],
    "salesChannelCode": ["base"],
    "stockId": [1],
}
"""What exists, by parameter: else nearly every answer would be that something does not."""
SOURCE_ITEMS = "/V1/inventory/source-items"
ITEM = "inventory-api-data-source-item-interface"
SOURCE_ITEM: dict[str, list[Any]] = {
    "sku": [SKU],
    "source_code": ["default"],
    "quantity": [0, 7],
    "status": [0, 1],
}
OFFICIAL = [
    ("amazon", ORDERS, "get", "/orders/2026-01-01/orders"),
    ("amazon", ORDERS, "get", "/orders/2026-01-01/orders/{orderId}"),
    ("amazon", INVENTORY, "get", "/fba/inventory/v1/summaries"),
    ("amazon", INVENTORY, "post", "/fba/inventory/v1/items/inventory"),
    ("amazon", LISTINGS, "get", "/listings/2021-08-01/items/{sellerId}"),
    ("amazon", LISTINGS, "get", "/listings/2021-08-01/items/{sellerId}/{sku}"),
    ("amazon", LISTINGS, "patch", "/listings/2021-08-01/items/{sellerId}/{sku}"),
    ("magento", MAGENTO, "get", "/V1/orders"),
    ("magento", MAGENTO, "get", SOURCE_ITEMS),
    ("magento", MAGENTO, "post", SOURCE_ITEMS),
    ("magento", MAGENTO, "get",
     "/V1/inventory/export-stock-salable-qty/{salesChannelType}/{salesChannelCode}"),
    ("magento", MAGENTO, "get", "/V1/inventory/get-product-salable-quantity/{sku}/{stockId}"),
    ("magento", MAGENTO, "post", "/V1/integration/admin/token"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "spec", "method", "where"), OFFICIAL)
def test_a_simulator_answers_as_the_official_document_says(
    kind: str, spec: Path, method: str, where: str
) -> None:
    document = operation(spec, method, where, VALUES)
    if where == SOURCE_ITEMS and method == "post":
        known = document["definitions"]
        known[ITEM] = narrowed(known[ITEM], SOURCE_ITEM)
        answers = document["paths"][where][method]["responses"]
        answers["200"] = {"description": "an empty list, which the document passes over"}

    statuses = fired(kind, document, document["basePath"].rstrip("/"))

    assert sum(statuses.values()) > EXAMPLES
    assert len(statuses) > 1, f"nothing but {statuses}"


@pytest.mark.parametrize("kind", ["ebay", "shopee", "shopify"])
def test_a_simulator_answers_as_its_own_document_says(kind: str) -> None:
    """Where the official one may not be kept beside the project."""
    simulator = import_module(f"examples.marketplace.{kind}")
    if not hasattr(simulator, "openapi"):
        pytest.skip(f"the simulator of {kind} has no OpenAPI document")

    statuses = fired(kind, simulator.openapi(), "")

    assert len(statuses) > 1, f"nothing but {statuses}"


def narrowed(schema: dict[str, Any], values: dict[str, list[Any]]) -> dict[str, Any]:
    """The body's counterpart of ``VALUES``: all of these properties, with what exists."""
    properties = {name: {**schema["properties"][name], "enum": values[name]} for name in values}
    return {**schema, "properties": properties, "required": list(values)}


def fired(kind: str, document: dict[str, Any], base_path: str) -> Counter[int]:
    """Asks every operation of the document what it allows and what it forbids; the statuses."""
    statuses: Counter[int] = Counter()
    with serving(kind, pace=PACE) as served:
        headers = ready(served)
        for found in schemathesis.openapi.from_dict(document).get_all_operations():
            assert isinstance(found, Ok), f"not a valid document: {found.err()}"
            for mode in GenerationMode:
                fire(found.ok(), mode, served.url + base_path, headers, statuses)
    return statuses


def ready(served: Served) -> dict[str, str]:
    """Something to find, and a token in every marketplace's header."""
    account, now = served.market.account, datetime.now(UTC)
    account.set_stock(SKU, 5, now)
    account.buy((SoldLine(SKU, 1, Decimal("12.50")),), "USD", now)
    token = served.market.issued("token-")
    return {"Authorization": f"Bearer {token}", "x-amz-access-token": token}


def fire(
    operation: APIOperation[Any, Any, Any, Any], mode: GenerationMode, url: str,
    headers: dict[str, str], statuses: Counter[int],
) -> None:  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES, derandomize=True, deadline=None, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    def shoot(case: Case[Any]) -> None:
        answer = case.call(base_url=url, headers=headers)
        statuses[answer.status_code] += 1
        case.validate_response(answer, checks=[not_a_server_error, response_schema_conformance])

    shoot()
