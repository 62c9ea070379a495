"""Amazon's simulator: its limits are the official ones, its answers have the official shapes."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx
import jsonschema
import pytest

from examples.marketplace.account import SoldLine
from examples.marketplace.amazon import CLIENT, MARKETPLACE, SELLER
from tests.blocks.channels.market import Clock, Served, serving
from tests.blocks.channels.specs import AMAZON, definition

ORDERS = "/orders/2026-01-01/orders"
SUMMARIES = "/fba/inventory/v1/summaries"
LISTINGS = f"/listings/2021-08-01/items/{SELLER}"
OF_STOCK = {
    "granularityType": "Marketplace", "granularityId": MARKETPLACE,
    "marketplaceIds": MARKETPLACE, "details": "true",
}  # fmt: skip


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def amazon(clock: Clock) -> Iterator[Served]:
    with serving("amazon", clock=clock) as served:
        served.market.account.set_stock("TEA-001", 100, clock())
        yield served


def test_nobody_buys_what_is_sold_out(amazon: Served) -> None:
    lines = [{"sku": "TEA-001", "quantity": 101, "price": "1"}]

    answer = httpx.post(f"{amazon.url}/_simulator/orders", json={"lines": lines, "currency": "USD"})

    assert answer.status_code == 409
    assert httpx.get(f"{amazon.url}/_simulator/stock").json() == {"TEA-001": 100}


def answered(amazon: Served, path: str, method: str = "GET", **content: Any) -> httpx.Response:
    token = httpx.post(
        f"{amazon.url}/auth/o2/token", data={"grant_type": "refresh_token", **CLIENT}
    )
    headers = {"x-amz-access-token": token.json()["access_token"], **content.pop("headers", {})}
    return httpx.request(method, f"{amazon.url}{path}", headers=headers, **content)


def test_inventory_is_added_once_per_token(amazon: Served) -> None:
    item = {"sellerSku": "TEA-001", "marketplaceId": MARKETPLACE, "quantity": 5}
    body, headers = {"inventoryItems": [item]}, {"x-amzn-idempotency-token": "t-1"}

    for _ in range(2):
        path = "/fba/inventory/v1/items/inventory"
        answered(amazon, path, "POST", json=body, headers=headers).raise_for_status()

    assert amazon.market.account.last("TEA-001").fulfillable == 105


@pytest.mark.parametrize(
    ("path", "query", "said"),
    [
        (ORDERS, {}, "exactly one"),
        (ORDERS, {"lastUpdatedAfter": "2026-11-01", "createdAfter": "2026-11-01"}, "exactly one"),
        (ORDERS, {"lastUpdatedAfter": "yesterday"}, "ISO 8601"),
        (ORDERS, {"lastUpdatedAfter": "2026-11-01", "maxResultsPerPage": "101"}, "1 to 100"),
        (ORDERS, {"lastUpdatedAfter": "2026-11-01", "includedData": "GOSSIP"}, "GOSSIP"),
        (ORDERS, {"lastUpdatedAfter": "2026-11-01", "paginationToken": "x"}, "not ours"),
        (
            ORDERS,
            {"lastUpdatedAfter": "2026-11-01", "lastUpdatedBefore": "2026-11-24T11:59:00Z"},
            "2 minutes",
        ),
        (SUMMARIES, {**OF_STOCK, "sellerSkus": ",".join(map(str, range(51)))}, "at most 50"),
        (SUMMARIES, {**OF_STOCK, "granularityType": "Galaxy"}, "Galaxy"),
        (SUMMARIES, {**OF_STOCK, "nextToken": "MQ=="}, "not ours"),
        (LISTINGS, {"marketplaceIds": MARKETPLACE, "pageSize": "21"}, "1 to 20"),
        (LISTINGS, {"marketplaceIds": MARKETPLACE, "identifiers": "A"}, "go together"),
        (LISTINGS, {}, "marketplaceIds"),
    ],
)  # fmt: skip
def test_the_official_limits_are_kept(
    amazon: Served, path: str, query: dict[str, str], said: str
) -> None:
    answer = answered(amazon, path, params=query)

    assert answer.status_code == 400
    assert said in answer.json()["errors"][0]["message"]


def test_a_token_of_fba_pages_is_good_for_thirty_seconds(amazon: Served, clock: Clock) -> None:
    for number in range(60):
        amazon.market.account.set_stock(f"SKU-{number:02d}", 1, clock())
    token = answered(amazon, SUMMARIES, params=OF_STOCK).json()["pagination"]["nextToken"]
    clock.pause(31)

    answer = answered(amazon, SUMMARIES, params={**OF_STOCK, "nextToken": token})

    assert "expired after 30 s" in answer.json()["errors"][0]["message"]


PATCH = {
    "productType": "PRODUCT",
    "patches": [{
        "op": "merge", "path": "/attributes/fulfillment_availability",
        "value": [{"fulfillment_channel_code": "DEFAULT", "quantity": 3}],
    }],
}  # fmt: skip
INVALID = {"productType": "PRODUCT", "patches": [{"op": "replace", "path": "/attributes/price"}]}


@pytest.mark.parametrize(
    ("model", "name", "method", "path", "content"),
    [
        (
            "orders_2026-01-01", "SearchOrdersResponse", "GET", ORDERS,
            {"params": {"lastUpdatedAfter": "2026-01-01", "includedData": "PROCEEDS,FULFILLMENT"}},
        ),
        ("orders_2026-01-01", "ErrorList", "GET", ORDERS, {}),
        ("fbaInventory", "GetInventorySummariesResponse", "GET", SUMMARIES, {"params": OF_STOCK}),
        ("fbaInventory", "GetInventorySummariesResponse", "GET", SUMMARIES, {}),
        (
            "listingsItems_2021-08-01", "ItemSearchResults", "GET", LISTINGS,
            {"params": {
                "marketplaceIds": MARKETPLACE, "includedData": "summaries,fulfillmentAvailability"
            }},
        ),
        ("listingsItems_2021-08-01", "ErrorList", "GET", LISTINGS, {}),
        (
            "listingsItems_2021-08-01", "ListingsItemSubmissionResponse", "PATCH",
            f"{LISTINGS}/TEA-001", {"params": {"marketplaceIds": MARKETPLACE}, "json": PATCH},
        ),
        (
            "listingsItems_2021-08-01", "ListingsItemSubmissionResponse", "PATCH",
            f"{LISTINGS}/TEA-001", {"params": {"marketplaceIds": MARKETPLACE}, "json": INVALID},
        ),
        (
            "listingsItems_2021-08-01", "ErrorList", "PATCH", f"{LISTINGS}/TEA-001",
            {"params": {"marketplaceIds": MARKETPLACE}, "json": {"patches": []}},
        ),
    ],
)  # fmt: skip
def test_answers_have_the_official_shape(
    amazon: Served, clock: Clock, model: str, name: str, method: str, path: str,
    content: dict[str, Any],
) -> None:  # fmt: skip
    schema = definition(AMAZON / f"{model}.json", name)
    amazon.market.account.buy((SoldLine("TEA-001", 2, Decimal("12.50")),), "USD", clock())
    clock.pause(180)

    answer = answered(amazon, path, method, **content).json()

    jsonschema.validate(answer, schema)
    assert set(answer) <= set(schema["definitions"][name]["properties"])
