"""Importing orders into a real database: $DATABASE_URL, with the migrations applied."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from order_sync.__main__ import one_pass
from shopdb import connect, seed

ORDER = {
    "order_id": "111-1",
    "currency": "USD",
    "total": Decimal("37.50"),
    "placed_at": "2026-11-24T10:00:00Z",
    "status": "UNSHIPPED",
    "cancelled": False,
    "shipped": False,
    "lines": [("TEA-001", 2), ("TEA-002", 1)],
}
WATERMARK = datetime(2026, 11, 24, 10, 1, tzinfo=UTC)


class Market:
    """Answers with the same orders every time, as an overlapping read does."""

    def __init__(self, *orders, watermark=WATERMARK):
        self.answer = list(orders), watermark.isoformat()
        self.asked_since = []

    def orders(self, since):
        self.asked_since.append(since)
        return self.answer


class Away:
    def orders(self, since):
        raise OSError("no answer")


@pytest.fixture
def connection():
    with connect() as opened:
        seed(opened, ("amazon-us", "ebay-us"))
        yield opened
        opened.rollback()


def rows(connection, query):
    return [tuple(row.values()) for row in connection.execute(query)]


def stock(connection):
    return dict(rows(connection, "SELECT sku, quantity FROM stock WHERE location = 'amazon-us'"))


def test_an_order_is_imported_once_with_its_lines_and_movements(connection):
    markets = {"amazon-us": Market(ORDER)}

    for _ in range(2):
        one_pass(connection, markets)

    assert rows(connection, "SELECT channel_order_id, currency, total FROM orders") == [
        ("111-1", "USD", Decimal("37.50"))
    ]
    assert rows(connection, "SELECT sku, quantity FROM order_lines ORDER BY sku") == [
        ("TEA-001", 2),
        ("TEA-002", 1),
    ]
    assert rows(
        connection,
        "SELECT sku, location, delta FROM stock_movements WHERE reason = 'order' ORDER BY sku",
    ) == [("TEA-001", "amazon-us", -2), ("TEA-002", "amazon-us", -1)]


def test_two_markets_may_give_the_same_number_to_an_order(connection):
    one_pass(connection, {"amazon-us": Market(ORDER), "ebay-us": Market(ORDER)})

    assert rows(connection, "SELECT channel FROM orders ORDER BY channel") == [
        ("amazon-us",),
        ("ebay-us",),
    ]


def test_a_cancelled_order_gives_its_units_back_once(connection):
    one_pass(connection, {"amazon-us": Market(ORDER)})
    before = stock(connection)
    cancelled = {**ORDER, "status": "CANCELLED", "cancelled": True}

    for _ in range(2):
        one_pass(connection, {"amazon-us": Market(cancelled)})

    after = stock(connection)
    assert rows(connection, "SELECT status, cancelled FROM orders") == [("CANCELLED", True)]
    assert rows(
        connection, "SELECT sku, delta FROM stock_movements WHERE reason = 'cancel' ORDER BY sku"
    ) == [("TEA-001", 2), ("TEA-002", 1)]
    assert after["TEA-001"] - before["TEA-001"] == 2
    assert after["TEA-002"] - before["TEA-002"] == 1


def test_an_order_that_was_cancelled_before_it_came_sold_nothing(connection):
    one_pass(connection, {"amazon-us": Market({**ORDER, "cancelled": True})})

    assert rows(connection, "SELECT * FROM orders") == []


def test_a_shipped_order_has_the_time_when_we_heard_of_it(connection):
    shipped = {**ORDER, "status": "SHIPPED", "shipped": True}

    for order in (ORDER, shipped, shipped):
        one_pass(connection, {"amazon-us": Market(order)})

    assert rows(connection, "SELECT status, shipped_at IS NOT NULL FROM orders") == [
        ("SHIPPED", True)
    ]


def test_every_market_is_read_on_from_its_own_watermark(connection):
    early = WATERMARK - timedelta(minutes=5)
    markets = {"amazon-us": Market(), "ebay-us": Market(watermark=early)}

    assert one_pass(connection, markets) == early
    one_pass(connection, markets)

    second = {channel: market.asked_since[1] for channel, market in markets.items()}
    assert second["ebay-us"] < early < second["amazon-us"] < WATERMARK


def test_a_market_that_is_away_is_said_and_keeps_no_other_back(connection):
    with pytest.raises(OSError, match="ebay-us: no answer"):
        one_pass(connection, {"ebay-us": Away(), "amazon-us": Market(ORDER)})

    assert rows(connection, "SELECT channel FROM orders") == [("amazon-us",)]


def test_without_a_market_it_idles(connection):
    assert one_pass(connection, {}) is not None
