"""The simulator as somebody else's client of SP-API sees it: the package python-amazon-sp-api."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pytest
from sp_api.api import Inventories
from sp_api.api.listings_items.listings_items_2021_08_01 import ListingsItemsV20210801
from sp_api.api.orders.orders_2026_01_01 import OrdersV20260101
from sp_api.auth import access_token_client
from sp_api.auth.access_token_client import AccessTokenClient
from sp_api.auth.exceptions import AuthorizationError
from sp_api.base import SellingApiException

from examples.marketplace.account import SoldLine
from examples.marketplace.amazon import CLIENT, MARKETPLACE, SELLER
from tests.blocks.channels.market import Clock, Served, serving

PATCH = {
    "productType": "PRODUCT",
    "patches": [{
        "op": "replace", "path": "/attributes/fulfillment_availability",
        "value": [{"fulfillment_channel_code": "DEFAULT", "quantity": 3}],
    }],
}  # fmt: skip


@dataclass(frozen=True)
class Place:
    """What the package wants to know of a marketplace."""

    endpoint: str
    marketplace_id: str = MARKETPLACE
    region: str = "us-east-1"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def amazon(clock: Clock) -> Iterator[Served]:
    access_token_client.cache.clear()
    with serving("amazon", clock=clock) as served:
        served.market.account.set_stock("TEA/1 red", 100, clock())
        yield served
    access_token_client.cache.clear()


def theirs(kind: Any, amazon: Served, **other: str) -> Any:
    """Their client of that kind, which is told where the simulator is."""

    class Login(AccessTokenClient):
        scheme, host = "http://", urlsplit(amazon.url).netloc

    known = {**CLIENT, **other}
    credentials = {
        "lwa_app_id": known["client_id"],
        "lwa_client_secret": known["client_secret"],
        "refresh_token": known["refresh_token"],
    }
    return kind(Place(amazon.url), credentials=credentials, auth_token_client_class=Login)


def test_their_client_reads_fba_stock_page_by_page(amazon: Served, clock: Clock) -> None:
    for number in range(60):
        amazon.market.account.set_stock(f"SKU-{number:02d}", number, clock())
    inventories = theirs(Inventories, amazon)

    first = inventories.get_inventory_summary_marketplace(details=True)
    second = inventories.get_inventory_summary_marketplace(details=True, nextToken=first.next_token)

    found = first.payload["inventorySummaries"] + second.payload["inventorySummaries"]
    quantities = {one["sellerSku"]: one["inventoryDetails"]["fulfillableQuantity"] for one in found}
    assert quantities == {"TEA/1 red": 100} | {f"SKU-{n:02d}": n for n in range(60)}
    assert second.next_token is None
    assert float(first.rate_limit) == 2


def test_their_client_reads_orders(amazon: Served, clock: Clock) -> None:
    line = SoldLine("TEA/1 red", 2, Decimal("12.50"))
    order_id = amazon.market.account.buy((line,), "USD", clock()).order_id
    clock.pause(180)
    orders = theirs(OrdersV20260101, amazon)

    found = orders.search_orders(
        lastUpdatedAfter="2026-01-01T00:00:00Z", includedData=["PROCEEDS", "FULFILLMENT"]
    )
    one = orders.get_order(order_id, includedData=["PROCEEDS"])

    (order,) = found.payload["orders"]
    assert order["orderId"] == one.payload["order"]["orderId"] == order_id
    assert order["proceeds"]["grandTotal"] == {"amount": "25.00", "currencyCode": "USD"}
    assert order["fulfillment"]["fulfillmentStatus"] == "UNSHIPPED"


def test_their_client_sets_a_listing_and_finds_it_so(amazon: Served) -> None:
    listings = theirs(ListingsItemsV20210801, amazon)

    answer = listings.patch_listings_item(
        SELLER, "TEA/1 red", marketplaceIds=[MARKETPLACE], body=PATCH
    )
    found = listings.search_listings_items(
        SELLER, marketplaceIds=[MARKETPLACE], includedData=["fulfillmentAvailability"],
        identifiers=["TEA/1 red"], identifiersType="SKU",
    )  # fmt: skip

    assert answer.payload["status"] == "ACCEPTED"
    (item,) = found.payload["items"]
    assert item["fulfillmentAvailability"][0]["quantity"] == 3


def test_their_client_knows_our_errors(amazon: Served) -> None:
    with pytest.raises(SellingApiException, match="granularityType") as refusal:
        theirs(Inventories, amazon).get_inventory_summary_marketplace(granularityType="Galaxy")

    assert refusal.value.code == 400


def test_their_client_knows_our_refusal_of_its_credentials(amazon: Served) -> None:
    orders = theirs(OrdersV20260101, amazon, refresh_token="another")  # noqa: S106

    with pytest.raises(AuthorizationError) as refusal:
        orders.search_orders(lastUpdatedAfter="2026-01-01T00:00:00Z")

    assert refusal.value.error_code == "invalid_grant"
