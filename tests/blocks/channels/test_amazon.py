"""The Amazon client against the simulator, fault by fault."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from blocks.channels.amazon import NOT_LISTED, NOT_OURS, AmazonAccess, AmazonClient
from domain.channel import Line
from domain.errors import BadInput, Unavailable
from examples.marketplace.account import SoldLine, State
from examples.marketplace.amazon import CLIENT, MARKETPLACE, SELLER
from tests.blocks.channels.market import Clock, Metered, Plenty, Served, saying, serving

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def amazon(clock: Clock) -> Iterator[Served]:
    """At official rates, by a clock that only moves when somebody waits."""
    with serving("amazon", clock=clock) as served:
        served.market.account.set_stock("TEA-001", 100, clock())
        yield served


def client(amazon: Served, clock: Clock, **other: Any) -> AmazonClient:
    budget = other.pop("budget", Plenty())
    access = {"marketplace": MARKETPLACE, "seller_id": SELLER, **CLIENT, **other}
    endpoints = {"endpoint": amazon.url, "token_endpoint": amazon.url}
    return AmazonClient(AmazonAccess(**{**endpoints, **access}), budget, 60, clock, clock.pause)


def merchant(amazon: Served, clock: Clock, **other: Any) -> AmazonClient:
    return client(amazon, clock, fulfilment="merchant", **other)


def buy(amazon: Served, clock: Clock, *lines: SoldLine, state: State = "open") -> str:
    """Bought, and long enough ago that Amazon shows it."""
    bought = lines or (SoldLine("TEA-001", 2, Decimal("12.50")),)
    order_id = amazon.market.account.buy(bought, "USD", clock(), state).order_id
    clock.pause(180)
    return order_id


def fill(amazon: Served, clock: Clock, count: int) -> None:
    for number in range(count):
        amazon.market.account.set_stock(f"SKU-{number:04d}", number, clock())


def test_fba_stock_is_read_as_it_is(amazon: Served, clock: Clock) -> None:
    buy(amazon, clock)
    reading = client(amazon, clock).stock()

    (row,) = list(reading)

    assert (row.sku, row.quantity, row.reserved, row.active) == ("TEA-001", 98, 2, True)
    assert row.updated_at == clock() - timedelta(seconds=180)
    assert reading.fetch.complete
    assert reading.fetch.pinned == "v1"


def test_an_order_is_read_with_its_lines_its_money_and_its_times(
    amazon: Served, clock: Clock
) -> None:
    amazon.market.account.set_stock("CUP-001", 5, clock())
    bought_at = clock()
    lines = (SoldLine("TEA-001", 2, Decimal("12.50")), SoldLine("CUP-001", 1, Decimal("0.10")))
    order_id = buy(amazon, clock, *lines)

    (order,) = list(client(amazon, clock).orders_since(LONG_AGO))

    assert (order.order_id, order.total, order.currency) == (order_id, Decimal("25.10"), "USD")
    assert order.lines == (Line("TEA-001", 2), Line("CUP-001", 1))
    assert (order.created_at, order.updated_at) == (bought_at, bought_at)
    assert order.created_at.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("state", "status", "progress"),
    [
        ("open", "UNSHIPPED", "open"),
        ("shipped", "SHIPPED", "shipped"),
        ("cancelled", "CANCELLED", "cancelled"),
    ],
)
def test_what_an_order_became_is_told_apart(
    amazon: Served, clock: Clock, state: State, status: str, progress: str
) -> None:
    amazon.market.account.become(buy(amazon, clock), state, clock())
    clock.pause(180)

    (order,) = list(client(amazon, clock).orders_since(LONG_AGO))

    assert (order.status, order.progress) == (status, progress)


def test_a_pending_order_has_no_price_yet(amazon: Served, clock: Clock) -> None:
    buy(amazon, clock, state="pending")

    (order,) = list(client(amazon, clock).orders_since(LONG_AGO))

    assert (order.progress, order.total, order.currency) == ("pending", None, "")


def test_only_orders_changed_since_then_are_read(amazon: Served, clock: Clock) -> None:
    old, changed = buy(amazon, clock), buy(amazon, clock)
    since = clock()
    amazon.market.account.become(changed, "shipped", since)
    clock.pause(180)

    found = [order.order_id for order in client(amazon, clock).orders_since(since)]

    assert found == [changed]
    assert old != changed


def test_all_pages_of_fba_stock_are_read(amazon: Served, clock: Clock) -> None:
    fill(amazon, clock, 120)
    reading = client(amazon, clock).stock()

    assert len(list(reading)) == 121
    assert (reading.fetch.pages, reading.fetch.complete) == (3, True)


def test_named_skus_are_asked_for_fifty_at_a_time(amazon: Served, clock: Clock) -> None:
    fill(amazon, clock, 120)
    named = [f"SKU-{number:04d}" for number in range(60)]
    reading = client(amazon, clock).stock((*named, "UNKNOWN"))

    assert [row.sku for row in reading] == named
    assert reading.fetch.pages == 2


def test_all_pages_of_orders_are_read(amazon: Served, clock: Clock) -> None:
    amazon.market.account.set_stock("TEA-001", 1000, clock())
    for _ in range(205):
        buy(amazon, clock)
    reading = client(amazon, clock).orders_since(LONG_AGO)

    assert len({order.order_id for order in reading}) == 205
    assert (reading.fetch.pages, reading.fetch.complete) == (3, True)


def test_the_merchants_listings_are_read_without_amazons(amazon: Served, clock: Clock) -> None:
    amazon.market.account.set_stock("CUP-FBA", 7, clock())
    amazon.market.account.set_stock("POT-001", 0, clock())
    amazon.market.account.set_stock("OLD-001", 3, clock())
    amazon.market.account.activate("OLD-001", False, clock())
    reading = merchant(amazon, clock).stock()

    found = {row.sku: (row.quantity, row.active) for row in reading}

    assert found == {"TEA-001": (100, True), "POT-001": (0, True), "OLD-001": (3, False)}
    assert (reading.fetch.rows, reading.fetch.reported) == (3, 3)
    assert reading.fetch.pinned == "2021-08-01"


def test_named_listings_are_asked_for_twenty_at_a_time(amazon: Served, clock: Clock) -> None:
    fill(amazon, clock, 60)
    named = [f"SKU-{number:04d}" for number in range(30)]
    reading = merchant(amazon, clock).stock((*named, "UNKNOWN"))

    assert sorted(row.sku for row in reading) == named
    assert (reading.fetch.pages, reading.fetch.reported) == (2, 30)


def test_more_listings_than_one_search_pages_through_are_read(amazon: Served, clock: Clock) -> None:
    for batch in range(11):
        clock.pause(1)
        for number in range(100):
            amazon.market.account.set_stock(f"SKU-{batch:02d}-{number:02d}", 1, clock())
    reading = merchant(amazon, clock).stock()

    rows = [row.sku for row in reading]

    assert (len(rows), len(set(rows)), reading.fetch.reported) == (1101, 1101, 1101)
    assert reading.fetch.complete


def test_more_listings_at_one_moment_than_a_search_shows_are_incomplete(
    amazon: Served, clock: Clock
) -> None:
    fill(amazon, clock, 1100)
    reading = merchant(amazon, clock).stock()

    assert len(list(reading)) < 1101
    assert "more than 1000 listings were created at" in reading.fetch.reason


def test_a_page_gap_of_listings_shows_in_the_total(amazon: Served, clock: Clock) -> None:
    fill(amazon, clock, 50)
    amazon.market.faults.page_gap = True
    reading = merchant(amazon, clock).stock()

    rows = len(list(reading))

    assert (rows, reading.fetch.reported) == (49, 51)


def test_a_page_gap_of_fba_stock_shows_as_missing_rows(amazon: Served, clock: Clock) -> None:
    fill(amazon, clock, 120)
    amazon.market.faults.page_gap = True

    assert len(list(client(amazon, clock).stock())) == 119


@pytest.mark.parametrize("fulfilment", ["amazon", "merchant"])
def test_a_repeated_page_is_incomplete(amazon: Served, clock: Clock, fulfilment: str) -> None:
    fill(amazon, clock, 120)
    amazon.market.faults.repeat_page = True
    reading = client(amazon, clock, fulfilment=fulfilment).stock()

    list(reading)

    assert "leads to one that was read before" in reading.fetch.reason


def test_a_repeated_order_comes_twice_and_a_dropped_one_not_at_all(
    amazon: Served, clock: Clock
) -> None:
    first, second = buy(amazon, clock), buy(amazon, clock)
    amazon.market.faults.duplicate_order = [first]
    amazon.market.faults.drop_order = [second]

    assert [one.order_id for one in client(amazon, clock).orders_since(LONG_AGO)] == [first] * 2


def test_a_mistaken_amount_is_read_as_amazon_says_it(amazon: Served, clock: Clock) -> None:
    buy(amazon, clock)
    amazon.market.faults.money_factor = 100

    (order,) = list(client(amazon, clock).orders_since(LONG_AGO))

    assert order.total == Decimal("2500.00")


def test_lag_hides_what_just_happened(amazon: Served, clock: Clock) -> None:
    amazon.market.faults.lag_seconds = 3600
    buy(amazon, clock)

    assert list(client(amazon, clock).orders_since(LONG_AGO)) == []


def test_a_clock_that_is_ahead_is_told(amazon: Served, clock: Clock) -> None:
    amazon.market.faults.skew_seconds = 300
    reading = client(amazon, clock).stock()

    list(reading)

    assert reading.fetch.skew_seconds == 300


def test_a_few_refused_or_failed_calls_are_sent_again(amazon: Served, clock: Clock) -> None:
    amazon.market.faults.refuse_429 = 1
    amazon.market.faults.fail_5xx = 1
    reading = client(amazon, clock).stock()

    assert len(list(reading)) == 1
    assert (reading.fetch.complete, reading.fetch.refused, reading.fetch.calls) == (True, 1, 3)


@pytest.mark.parametrize(
    ("switch", "said"), [("refuse_429", "QuotaExceeded"), ("fail_5xx", "ServiceUnavailable")]
)
def test_what_stays_refused_is_incomplete(
    amazon: Served, clock: Clock, switch: str, said: str
) -> None:
    setattr(amazon.market.faults, switch, 99)
    reading = client(amazon, clock).orders_since(LONG_AGO)

    assert list(reading) == []
    assert said in reading.fetch.reason


def test_a_token_that_ends_early_is_renewed(amazon: Served, clock: Clock) -> None:
    amazon.market.faults.expire_tokens = 1
    reading = client(amazon, clock).stock()

    assert len(list(reading)) == 1
    assert (reading.fetch.complete, len(amazon.market.tokens)) == (True, 2)


def test_a_token_is_renewed_before_it_ends(amazon: Served, clock: Clock) -> None:
    reader = client(amazon, clock)
    list(reader.stock())
    clock.pause(3550)
    reading = reader.stock()

    list(reading)

    assert (reading.fetch.calls, len(amazon.market.tokens)) == (1, 2)


@pytest.mark.parametrize("wrong", ["client_id", "client_secret", "refresh_token"])
def test_wrong_credentials_name_the_field_and_show_no_secret(
    amazon: Served, clock: Clock, wrong: str
) -> None:
    reading = client(amazon, clock, **{wrong: "s3cret"}).stock()

    with pytest.raises(BadInput, match=f"{wrong}.* was refused") as refusal:
        list(reading)

    assert "s3cret" not in str(refusal.value)


def test_access_shows_no_secret() -> None:
    access = AmazonAccess("", "", "", client_id="id", client_secret="s3", refresh_token="s4")  # noqa: S106

    assert "s3" not in repr(access)
    assert "s4" not in repr(access)


def test_nobody_at_home_is_unavailable(amazon: Served, clock: Clock) -> None:
    nowhere = "http://127.0.0.1:9"

    with pytest.raises(Unavailable, match="does not answer"):
        list(client(amazon, clock, endpoint=nowhere).stock())
    with pytest.raises(Unavailable, match="does not answer"):
        list(client(amazon, clock, token_endpoint=nowhere).stock())


def test_a_pushed_level_arrives(amazon: Served, clock: Clock) -> None:
    amazon.market.account.set_stock("CUP/1 #2?", 5, clock())

    pushed = merchant(amazon, clock).push({"TEA-001": 40, "CUP/1 #2?": 0})

    assert (dict(pushed.taken), dict(pushed.refused)) == ({"TEA-001": 40, "CUP/1 #2?": 0}, {})
    assert amazon.market.account.last("TEA-001").fulfillable == 40
    assert amazon.market.account.last("CUP/1 #2?").fulfillable == 0


def test_amazons_own_words_say_why_a_level_was_not_taken(amazon: Served, clock: Clock) -> None:
    amazon.market.account.set_stock("CUP-001", 5, clock())

    amazon.market.account.set_stock("POT-001", 5, clock())
    levels = {"TEA-001": -1, "POT-001": 3_000_000_000, "UNKNOWN": 3, "CUP-001": 6}

    pushed = merchant(amazon, clock).push(levels)

    assert dict(pushed.taken) == {"CUP-001": 6}
    assert "'quantity' must be at least 0" in pushed.refused["TEA-001"]
    assert "cannot be parsed" in pushed.refused["POT-001"]
    assert pushed.refused["UNKNOWN"] == NOT_LISTED


def test_a_push_that_is_cut_short_tells_what_was_not_set(amazon: Served, clock: Clock) -> None:
    amazon.market.faults.fail_5xx = 99

    pushed = merchant(amazon, clock).push({"TEA-001": 40})

    assert dict(pushed.taken) == {}
    assert "503" in pushed.refused["TEA-001"]


def test_the_stock_of_fba_cannot_be_pushed(amazon: Served, clock: Clock) -> None:
    pushed = client(amazon, clock).push({"TEA-001": 40})

    assert dict(pushed.refused) == {"TEA-001": NOT_OURS}
    assert amazon.market.account.last("TEA-001").fulfillable == 100


def test_the_budget_keeps_the_official_rate(amazon: Served, clock: Clock) -> None:
    amazon.market.account.set_stock("TEA-001", 5000, clock())
    for _ in range(22):
        buy(amazon, clock)
    amazon.market.buckets.clear()
    careful = client(amazon, clock, budget=Metered(clock))
    readings = [careful.orders_since(LONG_AGO) for _ in range(21)]

    for reading in readings:
        list(reading)

    assert sum(reading.fetch.refused for reading in readings) == 0
    assert [reading.fetch.complete for reading in readings] == [True] * 20 + [False]
    assert "no turn within 60 s" in readings[-1].fetch.reason


def test_without_a_budget_amazon_refuses(amazon: Served, clock: Clock) -> None:
    hasty = client(amazon, clock)
    readings = [hasty.orders_since(LONG_AGO) for _ in range(21)]

    for reading in readings:
        list(reading)

    assert readings[-1].fetch.refused > 0
    assert not readings[-1].fetch.complete


def test_the_quota_is_as_amazon_last_said(clock: Clock) -> None:
    with serving("amazon", clock=clock, pace=10) as amazon:
        reader = client(amazon, clock)
        before = reader.quota()
        list(reader.orders_since(LONG_AGO))

    assert (before.limit, round(before.window_seconds)) == (20, 3571)
    assert round(reader.quota().window_seconds) == 357


def test_a_page_that_is_no_json_is_incomplete(amazon: Served, clock: Clock) -> None:
    with saying("<html>Sorry</html>") as host:
        reading = client(amazon, clock, endpoint=host).stock()

        assert list(reading) == []

    assert "answered no JSON" in reading.fetch.reason
