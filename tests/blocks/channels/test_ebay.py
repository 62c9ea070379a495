"""The eBay client against the simulator, fault by fault."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from blocks.channels.ebay import EbayAccess, EbayClient
from domain.channel import Line
from domain.errors import BadInput, Unavailable
from examples.marketplace.account import SoldLine, State
from examples.marketplace.ebay import CLIENT, openapi
from tests.blocks.channels.market import Clock, Metered, Plenty, Served, serving

HTTP = httpx.Client()
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
ITEMS = "/sell/inventory/v1/inventory_item"
ORDERS = "/sell/fulfillment/v1/order"
TEA = SoldLine("TEA-001", 2, Decimal("12.50"))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ebay(clock: Clock) -> Iterator[Served]:
    """At official limits, by a clock that only moves when somebody waits."""
    with serving("ebay", clock=clock) as served:
        served.market.account.set_stock("TEA-001", 1000, clock())
        yield served


def client(ebay: Served, clock: Clock, **other: Any) -> EbayClient:
    budget = other.pop("budget", Plenty())
    access = EbayAccess(**{"endpoint": ebay.url, **CLIENT, **other})
    return EbayClient(access, budget, 60, clock, clock.pause)


def buy(ebay: Served, clock: Clock, *lines: SoldLine, state: State = "open") -> str:
    return ebay.market.account.buy(lines or (TEA,), "USD", clock(), state).order_id


def fill(ebay: Served, clock: Clock, count: int) -> None:
    for number in range(count):
        ebay.market.account.set_stock(f"SKU-{number:04d}", number, clock())


def test_stock_is_read_as_it_is(ebay: Served, clock: Clock) -> None:
    buy(ebay, clock)
    reading = client(ebay, clock).stock()

    (row,) = list(reading)

    assert (row.sku, row.quantity, row.reserved, row.updated_at) == ("TEA-001", 998, 0, None)
    assert (reading.fetch.complete, reading.fetch.reported) == (True, 1)
    assert (reading.fetch.pinned, reading.fetch.version) == ("v1", "")


def test_an_order_is_read_with_its_lines_its_money_and_its_times(
    ebay: Served, clock: Clock
) -> None:
    ebay.market.account.set_stock("CUP-001", 5, clock())
    clock.pause(0.123)
    lines = (TEA, SoldLine("CUP-001", 1, Decimal("0.10")))
    order_id = buy(ebay, clock, *lines)

    (order,) = list(client(ebay, clock).orders_since(LONG_AGO))

    assert (order.order_id, order.total, order.currency) == (order_id, Decimal("25.10"), "USD")
    assert order.lines == (Line("TEA-001", 2), Line("CUP-001", 1))
    assert (order.created_at, order.updated_at) == (clock(), clock())
    assert order.created_at.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("state", "status", "progress"),
    [
        ("open", "PAID NOT_STARTED", "open"),
        ("shipped", "PAID FULFILLED", "shipped"),
        ("cancelled", "FULLY_REFUNDED NOT_STARTED", "cancelled"),
    ],
)
def test_what_an_order_became_is_told_apart(
    ebay: Served, clock: Clock, state: State, status: str, progress: str
) -> None:
    ebay.market.account.become(buy(ebay, clock), state, clock())

    (order,) = list(client(ebay, clock).orders_since(LONG_AGO))

    assert (order.status, order.progress) == (status, progress)


def test_an_order_that_is_not_paid_yet_is_not_told(ebay: Served, clock: Clock) -> None:
    buy(ebay, clock, state="pending")

    assert list(client(ebay, clock).orders_since(LONG_AGO)) == []


def test_only_orders_changed_since_then_are_read(ebay: Served, clock: Clock) -> None:
    buy(ebay, clock)
    changed = buy(ebay, clock)
    clock.pause(10)
    ebay.market.account.become(changed, "shipped", clock())

    found = [order.order_id for order in client(ebay, clock).orders_since(clock())]

    assert found == [changed]


def test_all_pages_of_items_are_read(ebay: Served, clock: Clock) -> None:
    fill(ebay, clock, 450)
    reading = client(ebay, clock).stock()

    assert len({row.sku for row in reading}) == 451
    assert (reading.fetch.pages, reading.fetch.rows, reading.fetch.reported) == (3, 451, 451)


def test_all_pages_of_orders_are_read(ebay: Served, clock: Clock) -> None:
    for _ in range(205):
        buy(ebay, clock)
    reading = client(ebay, clock).orders_since(LONG_AGO)

    assert len({order.order_id for order in reading}) == 205
    assert (reading.fetch.pages, reading.fetch.reported) == (2, 205)


def test_named_skus_are_asked_for_twenty_five_at_a_time(ebay: Served, clock: Clock) -> None:
    fill(ebay, clock, 60)
    named = [f"SKU-{number:04d}" for number in range(30)]
    reading = client(ebay, clock).stock(("UNKNOWN", *named))

    assert [row.sku for row in reading] == named
    assert (reading.fetch.calls, reading.fetch.reported) == (2, 30)
    assert reading.fetch.complete


def test_a_page_gap_shows_in_the_total(ebay: Served, clock: Clock) -> None:
    fill(ebay, clock, 450)
    for _ in range(205):
        buy(ebay, clock)
    ebay.market.faults.page_gap = True
    stock, orders = client(ebay, clock).stock(), client(ebay, clock).orders_since(LONG_AGO)

    assert (len(list(stock)), stock.fetch.reported) == (449, 451)
    assert (len(list(orders)), orders.fetch.reported) == (204, 205)


def test_a_repeated_page_is_incomplete(ebay: Served, clock: Clock) -> None:
    fill(ebay, clock, 399)
    for _ in range(205):
        buy(ebay, clock)
    ebay.market.faults.repeat_page = True
    stock, orders = client(ebay, clock).stock(), client(ebay, clock).orders_since(LONG_AGO)

    for reading in (stock, orders):
        list(reading)

    assert "leads to one that was read before" in stock.fetch.reason
    assert "leads to one that was read before" in orders.fetch.reason


def test_a_repeated_order_comes_twice_and_a_dropped_one_not_at_all(
    ebay: Served, clock: Clock
) -> None:
    first, second = buy(ebay, clock), buy(ebay, clock)
    ebay.market.faults.duplicate_order = [first]
    ebay.market.faults.drop_order = [second]
    reading = client(ebay, clock).orders_since(LONG_AGO)

    assert [one.order_id for one in reading] == [first] * 2
    assert (reading.fetch.rows, reading.fetch.reported) == (2, 1)


def test_a_mistaken_amount_is_read_as_ebay_says_it(ebay: Served, clock: Clock) -> None:
    buy(ebay, clock)
    ebay.market.faults.money_factor = 100

    (order,) = list(client(ebay, clock).orders_since(LONG_AGO))

    assert order.total == Decimal("2500.00")


def test_a_clock_that_is_ahead_is_told(ebay: Served, clock: Clock) -> None:
    ebay.market.faults.skew_seconds = 300
    reading = client(ebay, clock).stock()

    list(reading)

    assert reading.fetch.skew_seconds == 300


def test_a_few_refused_or_failed_calls_are_sent_again(ebay: Served, clock: Clock) -> None:
    ebay.market.faults.refuse_429 = 1
    ebay.market.faults.fail_5xx = 1
    reading = client(ebay, clock).stock()

    assert len(list(reading)) == 1
    assert (reading.fetch.complete, reading.fetch.refused, reading.fetch.calls) == (True, 1, 3)


@pytest.mark.parametrize(
    ("switch", "said"), [("refuse_429", "2001 Too many"), ("fail_5xx", "25001 A system error")]
)
def test_what_stays_refused_is_incomplete(
    ebay: Served, clock: Clock, switch: str, said: str
) -> None:
    setattr(ebay.market.faults, switch, 99)
    reading = client(ebay, clock).orders_since(LONG_AGO)

    assert list(reading) == []
    assert said in reading.fetch.reason


def test_a_token_that_ends_early_is_renewed(ebay: Served, clock: Clock) -> None:
    ebay.market.faults.expire_tokens = 1
    reading = client(ebay, clock).stock()

    assert len(list(reading)) == 1
    assert (reading.fetch.complete, len(ebay.market.tokens)) == (True, 2)


def test_a_token_is_renewed_before_its_two_hours_end(ebay: Served, clock: Clock) -> None:
    reader = client(ebay, clock)
    list(reader.stock())
    clock.pause(7150)
    reading = reader.stock()

    list(reading)

    assert (reading.fetch.calls, len(ebay.market.tokens)) == (1, 2)


@pytest.mark.parametrize("wrong", ["client_id", "client_secret", "refresh_token"])
def test_wrong_credentials_name_the_field_and_show_no_secret(
    ebay: Served, clock: Clock, wrong: str
) -> None:
    reading = client(ebay, clock, **{wrong: "s3cret"}).stock()

    with pytest.raises(BadInput, match=f"{wrong}.* was refused") as refusal:
        list(reading)

    assert "s3cret" not in str(refusal.value)


def test_access_shows_no_secret() -> None:
    access = EbayAccess("", client_id="id", client_secret="s3", refresh_token="s4")  # noqa: S106

    assert "s3" not in repr(access)
    assert "s4" not in repr(access)


def test_nobody_at_home_is_unavailable(ebay: Served, clock: Clock) -> None:
    nobody = client(ebay, clock, endpoint="http://127.0.0.1:9")

    with pytest.raises(Unavailable, match="does not answer"):
        list(nobody.stock())


def test_pushed_levels_arrive_twenty_five_at_a_time(ebay: Served, clock: Clock) -> None:
    fill(ebay, clock, 60)
    levels = {f"SKU-{number:04d}": 100 + number for number in range(60)}

    pushed = client(ebay, clock).push(levels)

    assert (dict(pushed.taken), dict(pushed.refused)) == (levels, {})
    assert {sku: ebay.market.account.last(sku).fulfillable for sku in levels} == levels


def test_ebays_own_words_say_why_a_level_was_not_taken(ebay: Served, clock: Clock) -> None:
    ebay.market.account.set_stock("CUP-001", 5, clock())

    pushed = client(ebay, clock).push({"TEA-001": -1, "UNKNOWN": 3, "CUP-001": 0})

    assert dict(pushed.taken) == {"CUP-001": 0}
    assert pushed.refused["TEA-001"].startswith("25709 Invalid value for quantity")
    assert pushed.refused["UNKNOWN"].startswith("25702 UNKNOWN could not be found")


def test_a_push_that_is_cut_short_tells_what_was_not_set(ebay: Served, clock: Clock) -> None:
    ebay.market.faults.fail_5xx = 99

    pushed = client(ebay, clock).push({"TEA-001": 40})

    assert dict(pushed.taken) == {}
    assert "503" in pushed.refused["TEA-001"]


def test_the_quota_is_the_scarcer_apis_and_is_kept_to(ebay: Served, clock: Clock) -> None:
    careful = client(ebay, clock, budget=Metered(clock))
    list(careful.orders_since(LONG_AGO))

    quota = careful.quota()

    assert (quota.limit, quota.remaining, quota.window_seconds) == (100_000, 99_999, 86_400)


def test_the_budget_keeps_what_ebay_allows(clock: Clock) -> None:
    """A two hundred and fiftieth of the official limits: 400 orders' calls a day, 16 at once."""
    with serving("ebay", clock=clock, pace=1 / 250) as ebay:
        careful = client(ebay, clock, budget=Metered(clock))
        careful.quota()
        readings = [careful.orders_since(LONG_AGO) for _ in range(18)]
        for reading in readings:
            list(reading)

    assert sum(reading.fetch.refused for reading in readings) == 0
    assert "no turn within 60 s" in readings[-1].fetch.reason


def test_without_a_budget_ebay_refuses(clock: Clock) -> None:
    with serving("ebay", clock=clock, pace=1 / 50_000) as ebay:
        hasty = client(ebay, clock)
        readings = [hasty.orders_since(LONG_AGO) for _ in range(3)]
        for reading in readings:
            list(reading)

    assert "2001 Too many requests" in readings[-1].fetch.reason


def test_a_quota_that_cannot_be_had_is_unavailable(ebay: Served, clock: Clock) -> None:
    ebay.market.faults.fail_5xx = 99

    with pytest.raises(Unavailable, match="503"):
        client(ebay, clock).quota()


def answered(ebay: Served, path: str, method: str = "GET", **content: Any) -> httpx.Response:
    token = ebay.market.issued("v^1.1#seller#")
    headers = {"authorization": f"Bearer {token}"}
    return HTTP.request(method, f"{ebay.url}{path}", headers=headers, **content)


@pytest.mark.parametrize(
    "path",
    [
        f"{ITEMS}?limit=201",
        f"{ITEMS}?limit=x",
        f"{ITEMS}?offset=-1",
        f"{ORDERS}?limit=0",
        f"{ORDERS}?filter=anything",
        f"{ORDERS}?filter=lastmodifieddate:[yesterday..]",
    ],
)
def test_what_ebay_rejects_is_rejected(ebay: Served, path: str) -> None:
    answer = answered(ebay, path)

    (error,) = answer.json()["errors"]
    assert answer.status_code == 400
    assert {"errorId", "domain", "category", "message", "longMessage"} <= error.keys()


@pytest.mark.parametrize(
    "requests", [[], "x", [{}], [{"sku": "A"}, {"sku": "A"}], [{"sku": str(n)} for n in range(26)]]
)
def test_a_call_about_many_skus_names_each_once(ebay: Served, requests: Any) -> None:
    path = "/sell/inventory/v1/bulk_get_inventory_item"

    answer = answered(ebay, path, "POST", json={"requests": requests})

    assert answer.status_code == 400


def test_an_offset_counts_pages_of_items_but_single_orders(ebay: Served, clock: Clock) -> None:
    fill(ebay, clock, 10)
    bought = [buy(ebay, clock) for _ in range(5)]

    items = answered(ebay, f"{ITEMS}?limit=4&offset=1").json()["inventoryItems"]
    orders = answered(ebay, f"{ORDERS}?limit=2&offset=1").json()["orders"]

    assert [item["sku"] for item in items] == [f"SKU-{number:04d}" for number in range(4, 8)]
    assert [order["orderId"] for order in orders] == bought[1:3]


def test_a_creation_date_goes_before_a_date_of_change(ebay: Served, clock: Clock) -> None:
    buy(ebay, clock)
    changed = "lastmodifieddate:[2026-11-24T12:00:30.000Z..]"
    created = "creationdate:[2026-11-24T12:00:00.000Z..2026-11-24T12:00:00.000Z]"

    found = answered(ebay, ORDERS, params={"filter": changed}).json()["total"]
    both = answered(ebay, ORDERS, params={"filter": f"{changed},{created}"}).json()["total"]

    assert (found, both) == (0, 1)


def test_limits_are_told_to_the_app_alone(ebay: Served) -> None:
    answer = answered(ebay, "/developer/analytics/v1_beta/rate_limit/")

    assert answer.status_code == 403


def test_the_document_names_every_path_that_is_served(ebay: Served) -> None:
    served = {getattr(route, "path", "") for route in ebay.api.routes()}

    assert set(openapi()["paths"]) == served - {"/identity/v1/oauth2/token"}
