"""Transfers on a real database: $DATABASE_URL, with the migrations applied."""

import pytest

from inventory_sync.transfers import UNITS, transfer_all
from shopdb import connect, seed


class Marketplace:
    """Fails as often as told, after or before it took the units."""

    def __init__(self, failures=0):
        self.failures = failures
        self.added = {}

    def add_inventory(self, token, sku, quantity):
        self.added[token] = (sku, quantity)
        if self.failures:
            self.failures -= 1
            raise OSError("the answer was lost")


@pytest.fixture
def connection():
    with connect() as opened:
        for table in ("transfers", "stock_movements", "stock", "products"):
            opened.execute(f"DELETE FROM {table}")
        seed(opened, "amazon-us")
        opened.execute(
            "UPDATE stock SET quantity = 10 WHERE sku = 'TEA-001' AND location = 'amazon-us'"
        )
        opened.commit()
        yield opened
        opened.rollback()


def stock(connection):
    query = "SELECT location, quantity FROM stock WHERE sku = 'TEA-001'"
    return {row["location"]: row["quantity"] for row in connection.execute(query)}


def test_a_low_sku_is_refilled_from_the_warehouse(connection):
    before = stock(connection)
    marketplace = Marketplace()

    transfer_all(connection, marketplace, "amazon-us")

    after = stock(connection)
    assert list(marketplace.added.values()) == [("TEA-001", UNITS)]
    assert after["amazon-us"] - before["amazon-us"] == UNITS
    assert before["warehouse"] - after["warehouse"] == UNITS


def test_a_lost_answer_is_told_again_with_the_same_token(connection):
    marketplace = Marketplace(failures=1)
    before = stock(connection)

    with pytest.raises(OSError, match="lost"):
        transfer_all(connection, marketplace, "amazon-us")
    connection.rollback()
    connection.execute("UPDATE stock SET quantity = 5000 WHERE location = 'amazon-us'")
    transfer_all(connection, marketplace, "amazon-us")

    assert len(marketplace.added) == 1
    assert before["warehouse"] - stock(connection)["warehouse"] == UNITS
