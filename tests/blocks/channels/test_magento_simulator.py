"""Magento's simulator: its limits are the official ones, its answers have the official shapes."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx
import jsonschema
import pytest

from examples.marketplace.account import SoldLine
from examples.marketplace.magento import INTEGRATION
from tests.blocks.channels.market import Served, serving
from tests.blocks.channels.specs import MAGENTO, definition

EXPORT = "/inventory/export-stock-salable-qty/website/base"
SOURCE_ITEMS = "/inventory/source-items"


@pytest.fixture
def magento() -> Iterator[Served]:
    """With one order for two of a hundred units."""
    with serving("magento") as served:
        account, now = served.market.account, served.market.clock
        account.set_stock("TEA-001", 100, now())
        account.buy((SoldLine("TEA-001", 2, Decimal("12.50")),), "USD", now())
        yield served


def answered(magento: Served, path: str, method: str = "GET", **content: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {INTEGRATION}"}
    url = f"{magento.url}/rest/default/V1{path}"
    return httpx.request(method, url, headers=headers, **content)


def test_only_the_fields_that_are_named_are_sent(magento: Served) -> None:
    whole = answered(magento, "/orders").json()["items"][0]
    fields = {"fields": "items[increment_id,items[sku]],total_count"}

    asked = answered(magento, "/orders", params=fields).json()

    assert "customer_email" in whole
    assert asked == {
        "items": [{"increment_id": "000000001", "items": [{"sku": "TEA-001"}]}], "total_count": 1
    }  # fmt: skip


FILTER = "searchCriteria[filterGroups][0][filters][0]"


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"searchCriteria[pageSize]": "301"}, "pageSize is 300"),
        ({"searchCriteria[pageSize]": "many"}, "int"),
        ({f"{FILTER}[field]": "shoe_size", f"{FILTER}[value]": "1"}, "Invalid attribute"),
        (
            {f"{FILTER}[field]": "sku", f"{FILTER}[value]": "1", f"{FILTER}[conditionType]": "x"},
            "Invalid condition",
        ),
    ],
)
def test_the_official_limits_are_kept(magento: Served, query: dict[str, str], said: str) -> None:
    answer = answered(magento, SOURCE_ITEMS, params=query)

    assert answer.status_code == 400
    assert said in answer.json()["message"]


def test_the_salable_quantity_of_one_sku_is_that_of_the_export(magento: Served) -> None:

    one = answered(magento, "/inventory/get-product-salable-quantity/TEA-001/1").json()

    assert one == answered(magento, EXPORT).json()["items"][0]["qty"] == 98


@pytest.mark.parametrize(
    ("name", "method", "path", "content"),
    [
        ("sales-data-order-search-result-interface", "GET", "/orders", {}),
        (
            "inventory-export-stock-api-data-export-stock-salable-qty-search-result-interface",
            "GET", EXPORT, {},
        ),
        ("inventory-api-data-source-item-search-results-interface", "GET", SOURCE_ITEMS, {}),
        ("error-response", "GET", "/orders", {"params": {"searchCriteria[pageSize]": "301"}}),
        ("error-response", "GET", "/inventory/export-stock-salable-qty/website/moon", {}),
        ("error-response", "GET", "/inventory/get-product-salable-quantity/NONE/1", {}),
        ("error-response", "POST", SOURCE_ITEMS, {"json": {}}),
        ("error-response", "POST", SOURCE_ITEMS, {"json": {"sourceItems": [{"sku": "NONE"}]}}),
        ("error-response", "POST", "/integration/admin/token", {"json": {}}),
        (
            "error-response", "POST", "/integration/admin/token",
            {"json": {"username": "u", "password": "p"}},
        ),
    ],
)  # fmt: skip
def test_answers_have_the_official_shape(
    magento: Served, name: str, method: str, path: str, content: dict[str, Any]
) -> None:
    schema = definition(MAGENTO, name)

    answer = answered(magento, path, method, **content).json()

    jsonschema.validate(answer, schema)
    assert set(answer) <= set(schema["definitions"][name]["properties"])
