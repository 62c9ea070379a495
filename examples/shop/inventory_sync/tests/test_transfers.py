"""Transfers on a real database: $DATABASE_URL, with the migrations applied."""

import pytest

from inventory_sync.transfers import REFILL_BELOW, UNITS, transfer_all
from shopdb import connect, seed
from shopdb.markets.account import Account

LOW = 10


class Warehouse:
    """A market that counts itself; fails as often as told, after it took the units."""

    counts_itself = True

    def __init__(self, failures=0):
        self.failures = failures
        self.added = {}

    def add_inventory(self, token, sku, quantity):
        self.added[token] = (sku, quantity)
        if self.failures:
            self.failures -= 1
            raise OSError("the answer was lost")


class Shelf(Account):
    """A market with levels; sells ``between`` units each, after its stock was read."""

    def __init__(self, level, between=(), failures=0):
        super().__init__("")
        self.level, self.sales, self.between, self.failures = level, [], list(between), failures

    def orders(self, since):
        lines = [{"cancelled": False, "lines": [("TEA-001", sold)]} for sold in self.sales]
        return lines, since

    def stock(self, skus):
        return dict.fromkeys(skus, self.level)

    def set_stock(self, levels):
        if self.between:
            self.sales.append(self.between.pop())
        self.level = levels["TEA-001"]
        if self.failures:
            self.failures -= 1
            raise OSError("the answer was lost")


@pytest.fixture
def connection():
    with connect() as opened:
        for table in ("transfers", "stock_pushes", "stock_movements", "stock", "products"):
            opened.execute(f"DELETE FROM {table}")
        seed(opened, ("market",))
        opened.execute(
            "UPDATE stock SET quantity = %s WHERE sku = 'TEA-001' AND location = 'market'", [LOW]
        )
        opened.commit()
        yield opened
        opened.rollback()


def stock(connection):
    query = "SELECT location, quantity FROM stock WHERE sku = 'TEA-001'"
    return {row["location"]: row["quantity"] for row in connection.execute(query)}


def pushes(connection):
    query = "SELECT channel, sku, quantity, version FROM stock_pushes"
    return [tuple(row.values()) for row in connection.execute(query)]


def test_a_low_sku_is_refilled_from_the_warehouse(connection):
    before = stock(connection)
    market = Warehouse()

    transfer_all(connection, "market", market)

    after = stock(connection)
    assert list(market.added.values()) == [("TEA-001", UNITS)]
    assert after["market"] - before["market"] == UNITS
    assert before["warehouse"] - after["warehouse"] == UNITS
    assert pushes(connection) == []


def test_a_lost_answer_is_told_again_with_the_same_token(connection):
    market = Warehouse(failures=1)
    before = stock(connection)

    with pytest.raises(OSError, match="lost"):
        transfer_all(connection, "market", market)
    connection.rollback()
    connection.execute("UPDATE stock SET quantity = %s", [REFILL_BELOW])
    transfer_all(connection, "market", market)

    assert len(market.added) == 1
    assert stock(connection) == {"market": REFILL_BELOW + UNITS, "warehouse": REFILL_BELOW - UNITS}
    assert before["market"] == LOW


def test_a_level_is_raised_and_written_down_with_the_version(connection, monkeypatch):
    monkeypatch.setenv("TRADEWIND_VERSION", "2026.11.24-1")
    market = Shelf(LOW - 3)

    transfer_all(connection, "market", market)

    assert market.level == LOW - 3 + UNITS, "three were sold there that are not here yet"
    assert stock(connection)["market"] == LOW + UNITS
    assert pushes(connection) == [("market", "TEA-001", LOW - 3 + UNITS, "2026.11.24-1")]


def test_what_is_sold_while_a_level_is_set_is_not_put_back_on_sale(connection):
    market = Shelf(LOW, between=[2, 3])

    transfer_all(connection, "market", market)

    assert market.level == LOW + UNITS - 5


def test_a_market_that_sells_without_a_pause_is_left_for_the_next_pass(connection):
    market = Shelf(LOW, between=[1] * 5)

    with pytest.raises(OSError, match="5 rounds"):
        transfer_all(connection, "market", market)


def test_a_level_whose_answer_was_lost_is_not_raised_twice(connection):
    market = Shelf(LOW, failures=1)

    with pytest.raises(OSError, match="lost"):
        transfer_all(connection, "market", market)
    connection.rollback()
    transfer_all(connection, "market", market)

    assert market.level == LOW + UNITS
    assert stock(connection)["market"] == LOW + UNITS
