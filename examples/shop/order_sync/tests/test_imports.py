"""Importing orders into a real database: $DATABASE_URL, with the migrations applied."""

from datetime import UTC, datetime

import pytest

from order_sync.__main__ import one_pass
from shopdb import connect, seed

ORDER = {
    "orderId": "111-1",
    "createdTime": "2026-11-24T10:00:00Z",
    "proceeds": {"grandTotal": {"amount": "25.00", "currencyCode": "USD"}},
    "fulfillment": {"fulfillmentStatus": "UNSHIPPED"},
    "orderItems": [{"quantityOrdered": 2, "product": {"sellerSku": "TEA-001"}}],
}
WATERMARK = datetime(2026, 11, 24, 10, 1, tzinfo=UTC)


class Marketplace:
    """Answers with the same orders every time, as an overlapping read does."""

    def __init__(self):
        self.asked_since = []

    def orders(self, since):
        self.asked_since.append(since)
        return [ORDER], WATERMARK.isoformat()


@pytest.fixture
def connection():
    with connect() as opened:
        seed(opened, "amazon-us")
        yield opened
        opened.rollback()


def rows(connection, query):
    return connection.execute(query).fetchall()


def test_an_order_is_imported_once_with_its_lines_and_movements(connection):
    marketplace = Marketplace()

    for _ in range(2):
        one_pass(connection, marketplace, "amazon-us")

    orders = rows(connection, "SELECT channel_order_id, currency, total FROM orders")
    lines = rows(connection, "SELECT sku, quantity FROM order_lines")
    moved = rows(connection, "SELECT sku, delta FROM stock_movements WHERE reason = 'order'")
    assert [order["channel_order_id"] for order in orders] == ["111-1"]
    assert lines == [{"sku": "TEA-001", "quantity": 2}]
    assert moved == [{"sku": "TEA-001", "delta": -2}]


def test_the_next_read_begins_at_the_watermark(connection):
    marketplace = Marketplace()

    assert one_pass(connection, marketplace, "amazon-us") == WATERMARK
    one_pass(connection, marketplace, "amazon-us")

    assert marketplace.asked_since[0] < marketplace.asked_since[1] < WATERMARK


def test_without_a_marketplace_it_idles(connection):
    assert one_pass(connection, None, "amazon-us") is not None
