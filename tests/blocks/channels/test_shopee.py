"""The Shopee client against the simulator, fault by fault, and what Shopee itself refuses."""

import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from blocks.channels.kept import KeptFile
from blocks.channels.shopee import ShopeeAccess, ShopeeClient
from blocks.channels.shopee.signing import is_about_the_token, signed
from domain.channel import Line, Order, Rate
from domain.errors import BadInput, Unavailable
from examples.marketplace.account import SoldLine
from examples.marketplace.faults import Faults
from examples.marketplace.shopee import CLIENT
from tests.blocks.channels.market import Clock, Plenty, Served, serving


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shopee(clock: Clock) -> Iterator[Served]:
    """With three SKUs: an item of its own, and two models of another."""
    with serving("shopee", clock=clock) as served:
        for sku, quantity in (("TEA-001", 100), ("TEE/RED", 7), ("TEE/BLUE", 0)):
            served.market.account.set_stock(sku, quantity, clock() - timedelta(days=1))
        yield served


@pytest.fixture
def access(shopee: Served, tmp_path: Path) -> ShopeeAccess:
    return ShopeeAccess(endpoint=shopee.url, tokens=KeptFile(tmp_path / "tokens.json"), **CLIENT)


@pytest.fixture
def client(access: ShopeeAccess, clock: Clock) -> ShopeeClient:
    return ShopeeClient(access, Plenty(), now=clock, pause=clock.pause)


def many(shopee: Served, clock: Clock, count: int) -> None:
    for number in range(count):
        shopee.market.account.set_stock(f"SKU-{number:04d}", number, clock() - timedelta(hours=1))


def buy(shopee: Served, clock: Clock, price: str = "12.50", currency: str = "SGD",
        **other: Any) -> str:  # fmt: skip
    lines = (SoldLine("TEA-001", 2, Decimal(price)), SoldLine("TEE/RED", 1, Decimal(0)))
    return shopee.market.account.buy(lines, currency, clock(), **other).order_id


def orders(client: ShopeeClient, clock: Clock, days: float = 1) -> list[Order]:
    return list(client.orders_since(clock() - timedelta(days=days)))


def afterwards(shopee: Served, faults: Faults) -> None:
    """The faults begin when the first page is made."""
    listing = shopee.market.page

    def page(*given: Any) -> Any:
        made = listing(*given)
        shopee.market.faults = faults
        return made

    shopee.market.page = page  # type: ignore[method-assign, assignment]


def test_stock_is_read_as_it_is(client: ShopeeClient, shopee: Served, clock: Clock) -> None:
    shopee.market.account.activate("TEE/BLUE", False, clock())

    reading = client.stock()
    rows = {row.sku: (row.quantity, row.active) for row in reading}

    assert rows == {"TEA-001": (100, True), "TEE/RED": (7, True), "TEE/BLUE": (0, False)}
    assert reading.fetch.complete
    assert reading.fetch.pinned == "v2"


def test_an_order_is_read_as_it_is(client: ShopeeClient, shopee: Served, clock: Clock) -> None:
    order_id = buy(shopee, clock)
    bought = clock()
    clock.at += timedelta(minutes=5)
    shopee.market.account.become(order_id, "shipped", clock())

    (order,) = orders(client, clock)

    assert (order.order_id, order.status, order.progress) == (order_id, "SHIPPED", "shipped")
    assert (order.total, order.currency) == (Decimal("25.00"), "SGD")
    assert order.lines == (Line("TEA-001", 2), Line("TEE/RED", 1))
    assert (order.created_at, order.updated_at) == (bought, clock())
    assert order.created_at.tzinfo is UTC


@pytest.mark.parametrize(
    ("price", "currency", "total"),
    [
        ("75000", "IDR", "150000"),
        ("33500", "VND", "67000"),
        ("0.05", "SGD", "0.10"),
        ("12345678.91", "TWD", "24691357.82"),
    ],
)
def test_money_is_exact(
    client: ShopeeClient, shopee: Served, clock: Clock, price: str, currency: str, total: str
) -> None:
    buy(shopee, clock, price, currency)

    (order,) = orders(client, clock)

    assert (order.total, order.currency) == (Decimal(total), currency)
    assert isinstance(order.total, Decimal)


def test_a_factor_in_the_money_shows(client: ShopeeClient, shopee: Served, clock: Clock) -> None:
    buy(shopee, clock)
    shopee.market.faults = Faults(money_factor=100)

    assert orders(client, clock)[0].total == Decimal(2500)


@pytest.mark.parametrize(
    ("state", "progress"),
    [
        ("pending", "pending"),
        ("open", "open"),
        ("shipped", "shipped"),
        ("cancelled", "cancelled"),
    ],
)
def test_what_an_order_is_to_the_seller_is_told(
    client: ShopeeClient, shopee: Served, clock: Clock, state: Any, progress: str
) -> None:
    buy(shopee, clock, state=state)

    assert [order.progress for order in orders(client, clock)] == [progress]


def test_all_pages_of_items_are_read(client: ShopeeClient, shopee: Served, clock: Clock) -> None:
    many(shopee, clock, 230)

    reading = client.stock()

    assert len({row.sku for row in reading}) == 233
    assert (reading.fetch.complete, reading.fetch.pages) == (True, 3)


def test_all_pages_of_orders_are_read(client: ShopeeClient, shopee: Served, clock: Clock) -> None:
    shopee.market.account.set_stock("TEA-001", 1000, clock())
    bought = {
        shopee.market.account.buy((SoldLine("TEA-001", 1, Decimal(5)),), "SGD", clock()).order_id
        for _ in range(230)
    }

    reading = client.orders_since(clock() - timedelta(hours=1))
    found = [order.order_id for order in reading]

    assert (len(found), set(found)) == (230, bought)
    assert (reading.fetch.complete, reading.fetch.pages, reading.fetch.reported) == (True, 3, 230)


def test_a_month_is_read_in_ranges_that_shopee_allows(
    client: ShopeeClient, shopee: Served, clock: Clock
) -> None:
    shopee.market.account.set_stock("TEE/RED", 12, clock())
    bought = []
    for _ in range(12):
        bought.append(buy(shopee, clock))
        clock.at += timedelta(days=3)

    reading = client.orders_since(clock() - timedelta(days=36))

    assert [order.order_id for order in reading] == bought
    assert (reading.fetch.complete, reading.fetch.pages) == (True, 3)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Faults(page_gap=True), "230 of 232 items were listed"),
        (Faults(repeat_page=True), "page 2 leads to one that was read before"),
    ],
)
def test_items_left_out_or_repeated_are_found(
    client: ShopeeClient, shopee: Served, clock: Clock, fault: Faults, said: str
) -> None:
    many(shopee, clock, 230)
    shopee.market.faults = fault

    reading = client.stock()
    for _ in reading:
        pass

    assert reading.fetch.reason == said


def test_an_item_that_is_listed_and_not_described_is_missed(
    client: ShopeeClient, shopee: Served
) -> None:
    afterwards(shopee, Faults(drop_sku=["TEA-001"]))

    reading = client.stock()

    assert list(reading) == []
    assert reading.fetch.reason == "1 of 2 listed items were described"


def test_a_repeated_page_of_orders_is_found(
    client: ShopeeClient, shopee: Served, clock: Clock
) -> None:
    shopee.market.account.set_stock("TEA-001", 1000, clock())
    for _ in range(150):
        shopee.market.account.buy((SoldLine("TEA-001", 1, Decimal(5)),), "SGD", clock())
    shopee.market.faults = Faults(repeat_page=True)

    reading = client.orders_since(clock() - timedelta(hours=1))
    for _ in reading:
        pass

    assert "read before" in reading.fetch.reason


def test_an_order_that_is_listed_and_not_told_is_missed(
    client: ShopeeClient, shopee: Served, clock: Clock
) -> None:
    kept, dropped = buy(shopee, clock), buy(shopee, clock)
    reading = client.orders_since(clock() - timedelta(days=1))
    afterwards(shopee, Faults(drop_order=[dropped]))

    found = [order.order_id for order in reading]

    assert (found, reading.fetch.rows, reading.fetch.reported) == ([kept], 1, 2)


def test_an_order_told_twice_comes_twice(
    client: ShopeeClient, shopee: Served, clock: Clock
) -> None:
    order_id = buy(shopee, clock)
    shopee.market.faults = Faults(duplicate_order=[order_id])

    assert [order.order_id for order in orders(client, clock)] == [order_id, order_id]


@pytest.mark.parametrize("fault", [Faults(refuse_429=2), Faults(fail_5xx=2)])
def test_a_few_refused_or_failed_calls_are_tried_again(
    client: ShopeeClient, shopee: Served, fault: Faults
) -> None:
    refused = fault.refuse_429
    shopee.market.faults = fault

    reading = client.stock()

    assert len(list(reading)) == 3
    assert (reading.fetch.complete, reading.fetch.refused) == (True, refused)


@pytest.mark.parametrize(
    ("fault", "said"),
    [(Faults(refuse_429=99), "error_rate_limit"), (Faults(fail_5xx=99), "error_server")],
)
def test_what_stays_refused_is_incomplete(
    client: ShopeeClient, shopee: Served, fault: Faults, said: str
) -> None:
    shopee.market.faults = fault

    reading = client.stock()

    assert list(reading) == []
    assert said in reading.fetch.reason


def test_the_daily_cap_is_not_tried_again(client: ShopeeClient, shopee: Served) -> None:
    list(client.stock())
    shopee.api.app.left = 1  # type: ignore[attr-defined]

    reading = client.stock()

    assert list(reading) == []
    assert "error_limit" in reading.fetch.reason
    assert (reading.fetch.calls, reading.fetch.refused) == (2, 0)


def test_the_official_rate_is_kept_by_a_budget(access: ShopeeAccess, clock: Clock,
                                               shopee: Served) -> None:  # fmt: skip
    class Strict:
        """As the shared budget, without a database."""

        due: float = 0

        def spend(self, operation: str, rate: Rate, cost: float, wait_seconds: float) -> bool:
            now = clock().timestamp()
            self.due = max(self.due, now) + cost / rate.per_second
            clock.pause(self.due - now)
            return True

    many(shopee, clock, 1500)
    client = ShopeeClient(access, Strict(), now=clock, pause=clock.pause)

    reading = client.stock()

    assert len(list(reading)) == 1503
    assert (reading.fetch.refused, reading.fetch.calls) == (0, 48)


def test_without_a_turn_in_time_the_answer_is_incomplete(
    access: ShopeeAccess, clock: Clock
) -> None:
    class Nothing:
        def spend(self, operation: str, rate: Rate, cost: float, wait_seconds: float) -> bool:
            return False

    reading = ShopeeClient(access, Nothing(), now=clock, pause=clock.pause).stock()

    assert list(reading) == []
    assert "items may be called 10 times a second: no turn within 60 s" in reading.fetch.reason


def test_a_token_is_renewed_before_it_ends_and_when_it_is_refused(
    client: ShopeeClient, shopee: Served, clock: Clock
) -> None:
    list(client.stock())
    clock.at += timedelta(hours=4)
    in_time = client.stock()
    list(in_time)
    renewed = len(shopee.market.tokens)
    shopee.market.faults = Faults(expire_tokens=1)
    early = client.stock()

    assert len(list(early)) == 3
    assert (in_time.fetch.complete, in_time.fetch.refused, early.fetch.complete) == (True, 0, True)
    assert (renewed, len(shopee.market.tokens)) == (2, 3)


def test_the_next_process_goes_on_with_the_kept_tokens(
    access: ShopeeAccess, shopee: Served, clock: Clock
) -> None:
    list(ShopeeClient(access, Plenty(), now=clock).stock())
    first = list(ShopeeClient(access, Plenty(), now=clock).stock())
    tokens = len(shopee.market.tokens)
    clock.at += timedelta(days=1)

    later = list(ShopeeClient(access, Plenty(), now=clock).stock())

    assert (len(first), len(later)) == (3, 3)
    assert (tokens, len(shopee.market.tokens)) == (1, 2)


def test_those_who_renew_at_once_burn_one_refresh_token(
    access: ShopeeAccess, shopee: Served, clock: Clock
) -> None:
    def read(_: int) -> int:
        return len(list(ShopeeClient(access, Plenty(), now=clock).stock()))

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(read, range(4)))

    assert (found, len(shopee.market.tokens)) == ([3, 3, 3, 3], 1)


def test_a_new_authorisation_by_the_seller_replaces_a_burnt_token(
    access: ShopeeAccess, client: ShopeeClient
) -> None:
    access.tokens.save(json.dumps({"access_token": "", "refresh_token": "burnt", "until": 0}))

    assert len(list(client.stock())) == 3


@pytest.mark.parametrize("field", ["partner_id", "shop_id", "partner_key", "refresh_token"])
def test_wrong_credentials_name_the_field_and_show_no_secret(
    access: ShopeeAccess, clock: Clock, field: str
) -> None:
    wrong: Any = {field: "47110815"}
    client = ShopeeClient(replace(access, **wrong), Plenty(), now=clock, pause=clock.pause)

    with pytest.raises(BadInput, match=f"{field} was refused by http") as refusal:
        list(client.stock())

    assert "47110815" not in str(refusal.value)


def test_an_id_that_is_no_number_is_refused(access: ShopeeAccess) -> None:
    with pytest.raises(BadInput, match="shop_id is 'my-shop': a number is needed"):
        replace(access, shop_id="my-shop")


def test_no_secret_is_shown_or_logged(
    access: ShopeeAccess, client: ShopeeClient, shopee: Served, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    list(client.stock())

    secrets = (CLIENT["partner_key"], CLIENT["refresh_token"], *shopee.market.tokens)
    assert not any(secret in f"{access} {caplog.text}" for secret in secrets)


def test_nobody_at_home_is_unavailable(access: ShopeeAccess, clock: Clock) -> None:
    nobody = replace(access, endpoint="http://127.0.0.1:9")

    with pytest.raises(Unavailable, match="does not answer"):
        list(ShopeeClient(nobody, Plenty(), now=clock, pause=clock.pause).stock())


def test_named_skus_that_were_seen_cost_two_calls(
    client: ShopeeClient, shopee: Served, clock: Clock
) -> None:
    many(shopee, clock, 230)
    list(client.stock())
    shopee.market.account.set_stock("TEE/RED", 5, clock())

    reading = client.stock(["TEE/RED", "SKU-0007"])

    assert {row.sku: row.quantity for row in reading} == {"TEE/RED": 5, "SKU-0007": 7}
    assert (reading.fetch.calls, reading.fetch.complete) == (2, True)


def test_named_skus_that_were_never_seen_are_looked_for(client: ShopeeClient) -> None:
    reading = client.stock(["TEE/RED", "NOWHERE"])

    assert [row.sku for row in reading] == ["TEE/RED"]
    assert reading.fetch.complete


def test_pushed_levels_arrive(client: ShopeeClient, shopee: Served) -> None:
    pushed = client.push({"TEA-001": 42, "TEE/RED": 3, "TEE/BLUE": -1, "NOWHERE": 1})

    assert pushed.taken == {"TEA-001": 42, "TEE/RED": 3}
    assert pushed.refused == {"TEE/BLUE": "Stock must be 0 to 999999.", "NOWHERE": "not listed"}
    assert {row.sku: row.quantity for row in client.stock()} == {
        "TEA-001": 42, "TEE/RED": 3, "TEE/BLUE": 0,
    }  # fmt: skip


def test_a_push_that_shopee_does_not_answer_is_refused_with_the_reason(
    client: ShopeeClient, shopee: Served
) -> None:
    list(client.stock())
    shopee.market.faults = Faults(fail_5xx=99)

    pushed = client.push({"TEA-001": 42})

    assert pushed.taken == {}
    assert "error_server" in pushed.refused["TEA-001"]
    assert shopee.market.account.last("TEA-001").fulfillable == 100


def test_lost_pushes_and_a_wrong_clock_are_told(
    client: ShopeeClient, shopee: Served, clock: Clock
) -> None:
    shopee.market.faults = Faults(lost_events=7, skew_seconds=120)

    reading = client.orders_since(clock() - timedelta(days=1))
    list(reading)

    assert (reading.fetch.lost_events, reading.fetch.skew_seconds) == (7, 120)


def test_an_app_without_pushes_loses_none(
    client: ShopeeClient, shopee: Served, clock: Clock
) -> None:
    buy(shopee, clock)
    shopee.api.app.pushes = False  # type: ignore[attr-defined]

    reading = client.orders_since(clock() - timedelta(days=1))

    assert len(list(reading)) == 1
    assert (reading.fetch.complete, reading.fetch.lost_events) == (True, 0)


@pytest.mark.parametrize(
    ("error", "message", "refused"),
    [
        ("invalid_acceess_token", "", True),
        ("invalid_access_token", "", True),
        ("error_auth", "Invalid access_token.", True),
        ("error_auth", "No permission.", False),
        ("", "", False),
    ],
)
def test_a_refused_token_is_told_from_other_refusals(
    error: str, message: str, refused: bool
) -> None:
    assert is_about_the_token(error, message) == refused


def test_lag_hides_what_just_happened(client: ShopeeClient, shopee: Served, clock: Clock) -> None:
    buy(shopee, clock)
    shopee.market.faults = Faults(lag_seconds=3600)

    assert orders(client, clock) == []


def asked(shopee: Served, access: ShopeeAccess, path: str, body: Any = None, **query: Any) -> Any:
    """As a client that sends what it likes, signed and with a good token."""
    token = shopee.market.issued("test-")
    common = signed(access, path, shopee.market.now(), token)
    method = "GET" if body is None else "POST"
    with httpx.Client(base_url=shopee.url) as http:
        answer = http.request(method, path, params={**query, **common}, json=body)
    assert answer.status_code < 500
    return answer.json()


@pytest.mark.parametrize(
    ("path", "query", "said"),
    [
        ("product/get_item_list", {"offset": 0, "page_size": 101, "item_status": "NORMAL"}, "100"),
        ("product/get_item_list", {"offset": 0, "page_size": 10}, "item_status"),
        ("product/get_item_list", {"page_size": 10, "item_status": "NORMAL"}, "no offset"),
        ("product/get_item_base_info", {"item_id_list": ",".join("1" * 51)}, "51 values"),
        ("product/get_item_base_info", {"item_id_list": "x"}, "numbers"),
        ("product/get_model_list", {"item_id": "1"}, "not found"),
        ("order/get_order_list", {"time_range_field": "pay_time"}, "time_range_field"),
        (
            "order/get_order_list",
            {"time_range_field": "update_time", "time_from": 0, "time_to": 1296001},
            "diff in 15 days",
        ),
        ("order/get_order_detail", {"order_sn_list": "x"}, "not found"),
        ("order/get_order_detail", {"order_sn_list": ",".join("x" * 51)}, "51 values"),
    ],
)
def test_what_shopee_refuses_the_simulator_refuses(
    shopee: Served, access: ShopeeAccess, path: str, query: dict[str, Any], said: str
) -> None:
    answer = asked(shopee, access, f"/api/v2/{path}", **query)

    assert answer["error"].startswith("error_")
    assert said in answer["message"]


@pytest.mark.parametrize(
    "body",
    [[], {}, {"item_id": 1, "stock_list": [1]}, {"item_id": [], "stock_list": [{}]}, {
        "item_id": 1, "stock_list": [{"seller_stock": [{"stock": "1"}]}] * 51,
    }],
)  # fmt: skip
def test_a_push_of_another_shape_is_refused(
    shopee: Served, access: ShopeeAccess, body: Any
) -> None:
    answer = asked(shopee, access, "/api/v2/product/update_stock", body)

    assert answer["error"].startswith("error_")


def test_a_signature_is_good_for_five_minutes(
    shopee: Served, access: ShopeeAccess, clock: Clock
) -> None:
    path = "/api/v2/push/get_lost_push_message"
    old = signed(access, path, clock() - timedelta(seconds=301))
    forged = {**signed(access, path, clock()), "sign": "0" * 64}

    said = [httpx.get(shopee.url + path, params=one).json()["message"] for one in (old, forged)]

    assert said == ["Invalid timestamp.", "Wrong sign."]


def test_the_signature_is_the_one_of_shopees_guide() -> None:
    """Of its example's parameters, with a key of ours; the sign was made by openssl."""
    access = ShopeeAccess("", "2001887", "14701711", "key", "", KeptFile(Path()))

    found = signed(
        access, "/api/v2/shop/get_shop_info", datetime.fromtimestamp(1655714431, UTC),
        "59777174636562737266615546704c6d",
    )  # fmt: skip

    assert found["timestamp"] == "1655714431"
    assert found["sign"] == "091961189cc4462f957986ab68bdfd64272b72a044533efb2ecf05246ebb5467"
