"""The Amazon client against the simulator, fault by fault, and the simulator against the models."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest

from blocks.channels.amazon import AmazonClient, Credentials
from deployments.stack.processes import until
from domain.channel import Line
from domain.errors import BadInput, Unavailable
from examples.marketplace.api import CLIENT, MARKETPLACE, Marketplace, Problem

ROOT = Path(__file__).parents[2]
MODELS = ROOT.parent / "shared" / "specs" / "amazon"
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[httpx.Client]:
    """A simulator of its own for each test, with one SKU in stock."""
    ready = tmp_path / "ready.json"
    command = [sys.executable, "-m", "examples.marketplace", "--quick", "--ready", str(ready)]
    child = subprocess.Popen(command, cwd=ROOT, env=os.environ)
    assert until(ready.exists, 20)
    with httpx.Client(base_url=f"http://127.0.0.1:{json.loads(ready.read_text())['port']}") as http:
        http.post("/_simulator/stock", json={"TEA-001": 100}).raise_for_status()
        yield http
    child.terminate()
    child.wait(10)


def client(simulator: httpx.Client, **other: Any) -> AmazonClient:
    url = str(simulator.base_url).rstrip("/")
    return AmazonClient(url, url, MARKETPLACE, Credentials(**{**CLIENT, **other}), wait_seconds=3)


def buy(simulator: httpx.Client, quantity: int = 2) -> str:
    wish = {"sku": "TEA-001", "quantity": quantity, "price": "12.50", "currency": "USD"}
    order_id: str = simulator.post("/_simulator/orders", json=wish).json()["orderId"]
    return order_id


def fault(simulator: httpx.Client, **switches: object) -> None:
    simulator.put("/_simulator/faults", json=switches).raise_for_status()


def test_stock_and_orders_are_read_as_they_are(simulator: httpx.Client) -> None:
    order_id = buy(simulator)

    stock, orders = client(simulator).stock(), client(simulator).orders_since(LONG_AGO)

    assert [(row.sku, row.quantity, row.reserved) for row in stock.rows] == [("TEA-001", 98, 2)]
    (order,) = orders.orders
    assert (order.order_id, order.total, order.currency) == (order_id, Decimal("25.00"), "USD")
    assert order.lines == (Line("TEA-001", 2),)
    assert orders.fetch.complete
    assert orders.watermark > order.updated_at


def test_all_pages_are_read(simulator: httpx.Client) -> None:
    simulator.post("/_simulator/stock", json={f"SKU-{n:03d}": n for n in range(120)})

    snapshot = client(simulator).stock()

    assert (len(snapshot.rows), snapshot.fetch.pages) == (121, 3)


def test_a_page_gap_shows_as_missing_rows_not_as_a_crash(simulator: httpx.Client) -> None:
    simulator.post("/_simulator/stock", json={f"SKU-{n:03d}": n for n in range(120)})
    fault(simulator, page_gap=True)

    assert len(client(simulator).stock().rows) < 121


def test_a_few_refused_or_failed_calls_are_waited_for(simulator: httpx.Client) -> None:
    fault(simulator, refuse_429=1, fail_5xx=1)

    snapshot = client(simulator).stock()

    assert snapshot.fetch.complete
    assert snapshot.fetch.refused == 1


@pytest.mark.parametrize("switch", ["refuse_429", "fail_5xx"])
def test_what_stays_refused_is_incomplete_and_keeps_the_watermark(
    simulator: httpx.Client, switch: str
) -> None:
    fault(simulator, **{switch: 99})

    snapshot = client(simulator).orders_since(LONG_AGO)

    assert not snapshot.fetch.complete
    assert snapshot.fetch.reason
    assert snapshot.watermark == LONG_AGO


def test_a_repeated_order_is_counted_and_a_dropped_one_is_gone(simulator: httpx.Client) -> None:
    first, second = buy(simulator), buy(simulator)
    fault(simulator, duplicate_order=[first], drop_order=[second])

    snapshot = client(simulator).orders_since(LONG_AGO)

    assert [order.order_id for order in snapshot.orders] == [first]
    assert snapshot.fetch.repeated == 1


def test_lag_hides_what_just_happened(simulator: httpx.Client) -> None:
    fault(simulator, lag_seconds=3600)
    buy(simulator)

    assert client(simulator).orders_since(LONG_AGO).orders == ()


def test_nobody_buys_what_is_sold_out(simulator: httpx.Client) -> None:
    wish = {"sku": "TEA-001", "quantity": 101, "price": "1", "currency": "USD"}

    assert simulator.post("/_simulator/orders", json=wish).status_code == 409
    assert simulator.get("/_simulator/stock").json() == {"TEA-001": 100}


def test_inventory_is_added_once_per_token(simulator: httpx.Client) -> None:
    token = simulator.post("/auth/o2/token", data={"grant_type": "refresh_token", **CLIENT}).json()
    item = {"sellerSku": "TEA-001", "marketplaceId": MARKETPLACE, "quantity": 5}
    headers = {"x-amz-access-token": token["access_token"], "x-amzn-idempotency-token": "t-1"}

    for _ in range(2):
        simulator.post(
            "/fba/inventory/v1/items/inventory", json={"inventoryItems": [item]}, headers=headers
        ).raise_for_status()

    assert simulator.get("/_simulator/stock").json() == {"TEA-001": 105}


def test_wrong_credentials_name_the_field_and_show_no_secret(simulator: httpx.Client) -> None:
    with pytest.raises(BadInput, match="refresh_token was refused") as refusal:
        client(simulator, refresh_token="s3cret").stock()  # noqa: S106

    assert "s3cret" not in str(refusal.value)


def test_nobody_at_home_is_unavailable() -> None:
    nobody = AmazonClient("http://127.0.0.1:9", "http://127.0.0.1:9", "M", Credentials("", "", ""))

    with pytest.raises(Unavailable, match="does not answer"):
        nobody.stock()


class Clock:
    now = datetime(2026, 11, 24, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def logged_in(marketplace: Marketplace) -> str:
    answer = marketplace.token({"grant_type": "refresh_token", **CLIENT})
    token: str = answer.body["access_token"]
    return token


def test_the_official_rates_are_kept() -> None:
    marketplace = Marketplace(clock=Clock())
    token = logged_in(marketplace)
    query = {"lastUpdatedAfter": "2026-11-01T00:00:00Z"}

    for _ in range(20):
        marketplace.orders(query, token)

    with pytest.raises(Problem, match="quota"):
        marketplace.orders(query, token)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({}, "exactly one"),
        ({"lastUpdatedAfter": "yesterday"}, "ISO 8601"),
        (
            {
                "lastUpdatedAfter": "2026-11-01T00:00:00Z",
                "lastUpdatedBefore": "2026-11-24T00:00:00Z",
            },
            "2 minutes",
        ),
        ({"paginationToken": "x"}, "not ours"),
    ],
)
def test_the_official_limits_are_kept(query: dict[str, str], said: str) -> None:
    marketplace = Marketplace(clock=Clock())

    with pytest.raises(Problem, match=said):
        marketplace.orders(query, logged_in(marketplace))


def test_tokens_expire() -> None:
    clock = Clock()
    marketplace = Marketplace(clock=clock)
    token = logged_in(marketplace)
    clock.now += timedelta(hours=2)

    with pytest.raises(Problem, match="denied"):
        marketplace.orders({}, token)


@pytest.mark.parametrize(
    ("model", "definition", "path"),
    [
        (
            "orders_2026-01-01", "SearchOrdersResponse",
            "/orders/2026-01-01/orders?lastUpdatedAfter=2026-01-01T00:00:00Z",
        ),
        (
            "fbaInventory", "GetInventorySummariesResponse",
            "/fba/inventory/v1/summaries?granularityType=Marketplace&granularityId=M"
            "&marketplaceIds=M&details=true",
        ),
        ("orders_2026-01-01", "ErrorList", "/orders/2026-01-01/orders"),
    ],
)  # fmt: skip
def test_answers_have_the_official_shape(
    simulator: httpx.Client, model: str, definition: str, path: str
) -> None:
    if not MODELS.exists():
        pytest.skip("the official models are not beside this copy of the project")
    buy(simulator)
    token = simulator.post("/auth/o2/token", data={"grant_type": "refresh_token", **CLIENT}).json()

    answer = simulator.get(path, headers={"x-amz-access-token": token["access_token"]}).json()

    schema = json.loads((MODELS / f"{model}.json").read_text())
    known = schema["definitions"]
    jsonschema.validate(answer, {"$ref": f"#/definitions/{definition}", "definitions": known})
    assert set(answer) <= set(known[definition]["properties"])
