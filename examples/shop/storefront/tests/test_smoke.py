"""The smoke test sells one thing, and only reads where everything is sold out."""

import pytest

from shopdb import connect, seed
from storefront.smoke import sell_one


@pytest.fixture
def connection():
    with connect() as opened:
        seed(opened, ())
        yield opened
        opened.rollback()


def test_it_sells_one_thing(connection):
    assert sell_one(connection).startswith("sold ")
    assert sell_one(connection).startswith("sold "), "on what an earlier one left, too"


def test_it_reads_when_everything_is_sold_out(connection):
    connection.execute("UPDATE stock SET quantity = 0")

    assert "sold out" in sell_one(connection)
