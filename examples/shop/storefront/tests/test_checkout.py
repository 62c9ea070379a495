"""Checkout on a real database: $DATABASE_URL, with the migrations applied."""

from decimal import Decimal

import pytest

from shopdb import connect, seed
from storefront.checkout import Refused, check_out


@pytest.fixture
def connection():
    with connect() as opened:
        seed(opened, ())
        yield opened
        opened.rollback()


def stock(connection, sku):
    query = "SELECT quantity FROM stock WHERE sku = %s AND location = 'warehouse'"
    return connection.execute(query, [sku]).fetchone()["quantity"]


def test_an_order_takes_its_stock_and_its_price(connection):
    before = stock(connection, "TEA-001")

    order, new = check_out(connection, "key-1", {"sku": "TEA-001", "quantity": 3})

    assert new
    assert (order["total"], order["currency"]) == (Decimal("37.50"), "USD")
    assert stock(connection, "TEA-001") == before - 3


def test_the_same_key_is_the_same_order(connection):
    first, _ = check_out(connection, "key-1", {"sku": "TEA-001", "quantity": 1})
    left = stock(connection, "TEA-001")

    again, new = check_out(connection, "key-1", {"sku": "TEA-001", "quantity": 1})

    assert (again, new) == (first, False)
    assert stock(connection, "TEA-001") == left


@pytest.mark.parametrize(
    ("key", "wish", "status", "said"),
    [
        ("", {"sku": "TEA-001", "quantity": 1}, 400, "Idempotency-Key is ''"),
        ("k", {"sku": "TEA-001", "quantity": 0}, 400, "quantity is 0: 1 to 20"),
        ("k", {"sku": "TEA-001", "quantity": "1"}, 400, "quantity is '1'"),
        ("k", {"quantity": 1}, 400, "sku is None"),
        ("k", None, 400, "not a JSON object"),
        ("k", {"sku": "NONE", "quantity": 1}, 404, "no such product"),
    ],
)
def test_a_bad_wish_is_refused_by_name(connection, key, wish, status, said):
    with pytest.raises(Refused, match=said) as refusal:
        check_out(connection, key, wish)

    assert refusal.value.status == status


def test_what_is_sold_out_is_not_sold(connection):
    connection.execute("UPDATE stock SET quantity = 1 WHERE sku = 'TEA-001'")

    with pytest.raises(Refused, match="sold out"):
        check_out(connection, "k", {"sku": "TEA-001", "quantity": 2})

    assert stock(connection, "TEA-001") == 1
