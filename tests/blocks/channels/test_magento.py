"""The Magento client against the simulator, fault by fault."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from blocks.channels.magento import MagentoAccess, MagentoClient
from blocks.channels.magento.orders import FIELDS, progress
from domain.channel import Line
from domain.errors import BadInput, Unavailable
from examples.marketplace.account import SoldLine, State
from examples.marketplace.magento import CLIENT, INTEGRATION
from tests.blocks.channels.market import Clock, Metered, Plenty, Served, saying, serving

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def magento(clock: Clock) -> Iterator[Served]:
    with serving("magento", clock=clock) as served:
        served.market.account.set_stock("TEA-001", 100, clock())
        yield served


def client(magento: Served, clock: Clock, **other: Any) -> MagentoClient:
    budget = other.pop("budget", Plenty())
    access = MagentoAccess(**{"endpoint": magento.url, **CLIENT, **other})
    return MagentoClient(access, budget, 60, clock, clock.pause)


def buy(magento: Served, clock: Clock, *lines: SoldLine, state: State = "open") -> str:
    bought = lines or (SoldLine("TEA-001", 2, Decimal("12.50")),)
    order_id = magento.market.account.buy(bought, "USD", clock(), state).order_id
    clock.pause(1)
    return order_id


def fill(magento: Served, clock: Clock, count: int) -> None:
    for number in range(count):
        magento.market.account.set_stock(f"SKU-{number:04d}", number, clock())


def test_what_is_salable_is_read_not_what_is_on_the_shelf(magento: Served, clock: Clock) -> None:
    buy(magento, clock)
    reading = client(magento, clock).stock()

    (row,) = list(reading)

    assert (row.sku, row.quantity, row.active) == ("TEA-001", 98, True)
    assert (reading.fetch.complete, reading.fetch.reported, reading.fetch.pinned) == (True, 1, "V1")


def test_a_product_that_is_off_or_a_set_of_others_is_told_apart(
    magento: Served, clock: Clock
) -> None:
    for sku in ("POT-001", "OLD-001", "GIFT-SET"):
        magento.market.account.set_stock(sku, 0 if sku == "POT-001" else 3, clock())
    magento.market.account.activate("OLD-001", False, clock())

    found = {row.sku: (row.quantity, row.active) for row in client(magento, clock).stock()}

    assert found == {"TEA-001": (100, True), "POT-001": (0, True), "OLD-001": (3, False)}


def test_an_order_is_read_with_its_lines_its_money_and_its_times(
    magento: Served, clock: Clock
) -> None:
    magento.market.account.set_stock("CUP-001", 5, clock())
    bought_at = clock()
    lines = (SoldLine("TEA-001", 2, Decimal("12.50")), SoldLine("CUP-001", 1, Decimal("0.10")))
    order_id = buy(magento, clock, *lines)

    (order,) = list(client(magento, clock).orders_since(LONG_AGO))

    assert (order.order_id, order.total, order.currency) == (order_id, Decimal("25.1"), "USD")
    assert order.lines == (Line("TEA-001", 2), Line("CUP-001", 1))
    assert (order.created_at, order.updated_at) == (bought_at, bought_at)
    assert order.created_at.utcoffset() == timedelta(0)


def test_a_bundle_is_its_parts_and_a_variant_is_itself(magento: Served, clock: Clock) -> None:
    for sku in ("GIFT-SET", "CUP-VARIANT"):
        magento.market.account.set_stock(sku, 5, clock())
    price = Decimal(5)
    buy(magento, clock, SoldLine("GIFT-SET", 1, price), SoldLine("CUP-VARIANT", 2, price))

    (order,) = list(client(magento, clock).orders_since(LONG_AGO))

    assert order.lines == (Line("GIFT", 1), Line("CUP-VARIANT", 2))


@pytest.mark.parametrize(
    ("state", "status", "progress"),
    [
        ("pending", "pending_payment", "pending"),
        ("open", "processing", "open"),
        ("shipped", "complete", "shipped"),
        ("cancelled", "canceled", "cancelled"),
    ],
)
def test_what_an_order_became_is_told_apart(
    magento: Served, clock: Clock, state: State, status: str, progress: str
) -> None:
    magento.market.account.become(buy(magento, clock), state, clock())

    (order,) = list(client(magento, clock).orders_since(LONG_AGO))

    assert (order.status, order.progress) == (status, progress)


def test_only_orders_changed_since_then_are_read(magento: Served, clock: Clock) -> None:
    old, changed = buy(magento, clock), buy(magento, clock)
    since = clock()
    magento.market.account.become(changed, "shipped", since)

    found = [order.order_id for order in client(magento, clock).orders_since(since)]

    assert found == [changed]
    assert old != changed


def test_all_pages_of_stock_are_read(magento: Served, clock: Clock) -> None:
    fill(magento, clock, 250)
    reading = client(magento, clock).stock()

    assert len({row.sku for row in reading}) == 251
    assert (reading.fetch.pages, reading.fetch.reported) == (3, 251)


def test_exactly_one_full_page_is_not_asked_for_again(magento: Served, clock: Clock) -> None:
    fill(magento, clock, 99)
    reading = client(magento, clock).stock()

    assert len(list(reading)) == 100
    assert (reading.fetch.pages, reading.fetch.complete) == (1, True)


def test_all_pages_of_orders_are_read(magento: Served, clock: Clock) -> None:
    magento.market.account.set_stock("TEA-001", 1000, clock())
    for _ in range(205):
        buy(magento, clock)
    reading = client(magento, clock).orders_since(LONG_AGO)

    assert len({order.order_id for order in reading}) == 205
    assert (reading.fetch.pages, reading.fetch.reported) == (3, 205)


def test_named_skus_are_asked_for_fifty_at_a_time(magento: Served, clock: Clock) -> None:
    fill(magento, clock, 120)
    named = [f"SKU-{number:04d}" for number in range(60)]
    reading = client(magento, clock).stock((*named, "UNKNOWN"))

    assert [row.sku for row in reading] == named
    assert (reading.fetch.pages, reading.fetch.reported) == (2, 60)


def test_a_magento_that_counts_pages_only_is_incomplete(magento: Served, clock: Clock) -> None:
    fill(magento, clock, 250)
    magento.market.faults.version = "2.4.8"
    reading = client(magento, clock).stock()

    assert len(list(reading)) == 100
    assert "ACSD-67089" in reading.fetch.reason


def test_a_page_gap_shows_in_the_total(magento: Served, clock: Clock) -> None:
    fill(magento, clock, 250)
    magento.market.faults.page_gap = True
    reading = client(magento, clock).stock()

    assert (len(list(reading)), reading.fetch.reported) == (249, 251)


def test_a_repeated_page_is_incomplete(magento: Served, clock: Clock) -> None:
    fill(magento, clock, 250)
    magento.market.faults.repeat_page = True
    reading = client(magento, clock).stock()

    list(reading)

    assert "leads to one that was read before" in reading.fetch.reason


def test_a_repeated_order_comes_twice_and_a_dropped_one_not_at_all(
    magento: Served, clock: Clock
) -> None:
    first, second = buy(magento, clock), buy(magento, clock)
    magento.market.faults.duplicate_order = [first]
    magento.market.faults.drop_order = [second]

    assert [one.order_id for one in client(magento, clock).orders_since(LONG_AGO)] == [first] * 2


def test_a_mistaken_amount_is_read_as_magento_says_it(magento: Served, clock: Clock) -> None:
    buy(magento, clock)
    magento.market.faults.money_factor = 100

    (order,) = list(client(magento, clock).orders_since(LONG_AGO))

    assert order.total == Decimal(2500)


def test_lag_hides_what_just_happened_and_a_clock_ahead_is_told(
    magento: Served, clock: Clock
) -> None:
    magento.market.faults.lag_seconds = 3600
    magento.market.faults.skew_seconds = 300
    buy(magento, clock)
    reading = client(magento, clock).orders_since(LONG_AGO)

    assert list(reading) == []
    assert reading.fetch.skew_seconds == 300


def test_a_few_refused_or_failed_calls_are_sent_again(magento: Served, clock: Clock) -> None:
    reader = client(magento, clock)
    list(reader.orders_since(LONG_AGO))
    magento.market.faults.refuse_429 = 1
    magento.market.faults.fail_5xx = 1
    reading = reader.orders_since(LONG_AGO)

    list(reading)

    assert (reading.fetch.complete, reading.fetch.refused, reading.fetch.calls) == (True, 1, 3)


@pytest.mark.parametrize(
    ("switch", "said"),
    [("refuse_429", "Too many requests"), ("fail_5xx", "Temporarily Unavailable")],
)
def test_what_stays_refused_is_incomplete(
    magento: Served, clock: Clock, switch: str, said: str
) -> None:
    setattr(magento.market.faults, switch, 99)
    reading = client(magento, clock, token=INTEGRATION).orders_since(LONG_AGO)

    assert list(reading) == []
    assert said in reading.fetch.reason


def test_without_a_token_from_a_busy_host_nothing_is_known(magento: Served, clock: Clock) -> None:
    magento.market.faults.fail_5xx = 99
    reading = client(magento, clock).orders_since(LONG_AGO)

    assert list(reading) == []
    assert "no token" in reading.fetch.reason


def test_a_token_that_ends_early_is_renewed(magento: Served, clock: Clock) -> None:
    reader = client(magento, clock)
    list(reader.stock())
    magento.market.faults.expire_tokens = 1
    reading = reader.stock()

    assert len(list(reading)) == 1
    assert (reading.fetch.complete, len(magento.market.tokens)) == (True, 2)


def test_an_administrators_token_is_renewed_before_four_hours(
    magento: Served, clock: Clock
) -> None:
    reader = client(magento, clock)
    list(reader.orders_since(LONG_AGO))
    clock.pause(4 * 3600 - 50)
    reading = reader.orders_since(LONG_AGO)

    list(reading)

    assert (reading.fetch.calls, len(magento.market.tokens)) == (1, 2)


def test_an_integrations_token_is_used_as_it_is(magento: Served, clock: Clock) -> None:
    reading = client(magento, clock, token=INTEGRATION, password="").stock()

    assert len(list(reading)) == 1
    assert magento.market.tokens == {}


@pytest.mark.parametrize("wrong", ["username", "password", "token"])
def test_wrong_credentials_name_the_field_and_show_no_secret(
    magento: Served, clock: Clock, wrong: str
) -> None:
    reading = client(magento, clock, **{wrong: "s3cret"}).stock()

    with pytest.raises(BadInput, match=f"{wrong}.* was refused") as refusal:
        list(reading)

    assert "s3cret" not in str(refusal.value)


def test_access_shows_no_secret() -> None:
    access = MagentoAccess("", password="s3", token="s4")  # noqa: S106

    assert "s3" not in repr(access)
    assert "s4" not in repr(access)


def test_nobody_at_home_is_unavailable(magento: Served, clock: Clock) -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        list(client(magento, clock, endpoint="http://127.0.0.1:9").stock())


def test_a_website_that_is_not_there_is_incomplete_in_magentos_words(
    magento: Served, clock: Clock
) -> None:
    reading = client(magento, clock, website="moon").stock()

    assert list(reading) == []
    assert "No linked stock found" in reading.fetch.reason


def test_a_pushed_level_is_what_is_salable_afterwards(magento: Served, clock: Clock) -> None:
    buy(magento, clock)

    pushed = client(magento, clock).push({"TEA-001": 40})

    level = magento.market.account.last("TEA-001")
    assert (dict(pushed.taken), dict(pushed.refused)) == ({"TEA-001": 40}, {})
    assert (level.fulfillable, level.reserved) == (40, 2)


def test_the_same_push_again_changes_nothing(magento: Served, clock: Clock) -> None:
    buy(magento, clock)
    client(magento, clock).push({"TEA-001": 40})

    client(magento, clock).push({"TEA-001": 40})

    assert magento.market.account.last("TEA-001").fulfillable == 40


def test_many_levels_are_pushed_twenty_at_a_time(magento: Served, clock: Clock) -> None:
    fill(magento, clock, 45)
    levels = {f"SKU-{number:04d}": 7 for number in range(45)}

    pushed = client(magento, clock).push(levels)

    assert dict(pushed.taken) == levels
    assert {magento.market.account.last(sku).fulfillable for sku in levels} == {7}


def test_why_a_level_was_not_taken_is_said_by_sku(magento: Served, clock: Clock) -> None:
    magento.market.account.set_stock("CUP-001", 5, clock())

    pushed = client(magento, clock).push({"TEA-001": -1, "UNKNOWN": 3, "CUP-001": 6})

    assert dict(pushed.taken) == {"CUP-001": 6}
    assert dict(pushed.refused) == {
        "TEA-001": "source default has 100 units, 1 too few for that",
        "UNKNOWN": "not sold in the website base",
    }


def test_magentos_own_words_say_why_a_push_was_not_taken(magento: Served, clock: Clock) -> None:
    pushed = client(magento, clock).push({"TEA-001": 200_000_000})

    assert "should be numeric" in pushed.refused["TEA-001"]
    assert magento.market.account.last("TEA-001").fulfillable == 100


def test_a_push_that_is_cut_short_tells_what_was_not_set(magento: Served, clock: Clock) -> None:
    magento.market.faults.fail_5xx = 99

    pushed = client(magento, clock, token=INTEGRATION).push({"TEA-001": 40})

    assert dict(pushed.taken) == {}
    assert "503" in pushed.refused["TEA-001"]


def test_the_budget_keeps_our_own_rate(magento: Served, clock: Clock) -> None:
    began = clock()
    careful = client(magento, clock, budget=Metered(clock), token=INTEGRATION)

    for _ in range(28):
        list(careful.orders_since(LONG_AGO))

    assert (clock() - began).total_seconds() == pytest.approx(5, abs=0.1)


def test_a_page_that_is_no_json_is_incomplete(magento: Served, clock: Clock) -> None:
    with saying("<html>Sorry</html>") as host:
        reading = client(magento, clock, endpoint=host, token=INTEGRATION).stock()

        assert list(reading) == []

    assert "answered no JSON" in reading.fetch.reason


@pytest.mark.parametrize(("shipped", "expected"), [(0, "cancelled"), (1, "shipped")])
def test_an_order_paid_back_was_shipped_or_cancelled(shipped: int, expected: str) -> None:
    assert progress("closed", [{"qty_shipped": 0}, {"qty_shipped": shipped}]) == expected


def test_nothing_of_the_buyer_is_asked_for() -> None:
    assert not re.search("customer|address|payment|remote", FIELDS)
