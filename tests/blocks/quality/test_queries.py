"""The shop's declared queries: what they have to answer, and what is said when they do not."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.errors import BadInput, Unavailable
from tests.blocks.quality.shop import AMAZON, SINCE, Channel, Shop, listed, sold


@pytest.fixture
def shop(database_url: str) -> Shop:
    shop = Shop(database_url).open()
    shop.stock(5)
    return shop


@pytest.mark.parametrize(
    ("queries", "message"),
    [
        ({"stock": "SELECT sku, quantity AS qty FROM stock"},
         "query stock: column quantity (bigint) is missing, there are sku, qty; query stock:"
         " column changed_at (timestamptz) is missing, there are sku, qty"),
        ({"stock": "SELECT sku, quantity, changed_at::timestamp FROM stock"},
         "query stock: column changed_at has to be timestamptz, it is timestamp"),
        ({"orders": "SELECT order_id, currency, total::float, placed_at, imported_at FROM orders"},
         "query orders: column total has to be numeric, it is float8"),
        ({"stock": "SELECT sku, quantity, changed_at, 1 AS active FROM stock"},
         "query stock: column active has to be boolean, it is int4"),
        ({"lines": "SELECT * FROM order_lines"}, 'relation "order_lines" does not exist'),
        ({"lines": "SELECT order_id, sku, 1 / 0 AS quantity FROM stock, orders"},
         "query lines: "),
        ({"movements": ""}, "query movements is not declared: every comparison needs it"),
    ],
)  # fmt: skip
def test_a_query_that_answers_otherwise_is_refused_by_its_name(
    shop: Shop, queries: dict[str, str], message: str
) -> None:
    shop.order("a")

    with pytest.raises(BadInput) as refused:
        shop.look(Channel(), ours=shop.ours(**queries))

    assert message in str(refused.value)


def test_what_a_query_may_leave_out_leaves_its_checks_out(shop: Shop) -> None:
    plain = {
        "stock": "SELECT sku, quantity, changed_at FROM stock; ",
        "orders": "SELECT order_id, currency, total, placed_at, imported_at FROM orders -- all",
        "pushes": "",
        "events": "",
    }

    part = shop.look(Channel((listed(5),)), ours=shop.ours(**plain)).parts[AMAZON]

    assert part.violating == {}
    assert set(part.compared) == {
        "INV-01", "INV-03", "INV-04", "INV-05", "INV-06", "ORD-01", "ORD-02", "ORD-03", "ORD-04",
        "ORD-05", "TZ-01",
    }  # fmt: skip


def test_whole_numbers_may_come_as_sums(shop: Shop) -> None:
    summed = "SELECT sku, sum(quantity::bigint) AS quantity, max(changed_at) AS changed_at" \
             " FROM stock GROUP BY sku"  # fmt: skip

    found = shop.look(Channel((listed(5),)), ours=shop.ours(stock=summed))

    assert found.parts[AMAZON].compared["INV-01"] == 1


def test_a_query_cannot_change_anything(shop: Shop) -> None:
    emptied = "WITH gone AS (DELETE FROM stock RETURNING *) SELECT * FROM gone"

    with pytest.raises(BadInput, match="query stock"):
        shop.look(Channel(), ours=shop.ours(stock=emptied))


def test_a_shop_that_is_away_is_unavailable(shop: Shop) -> None:
    away = replace(shop.ours(), url="postgresql://nobody@127.0.0.1:1/nothing")

    with pytest.raises(Unavailable, match="shop's database"):
        shop.look(Channel(), ours=away)


def test_changes_are_counted_since_the_opening_only_over_the_same_orders(shop: Shop) -> None:
    before = shop.look(Channel((listed(5),)), purpose="baseline")
    later = replace(shop.ours(), since=SINCE + timedelta(hours=1))

    with pytest.raises(BadInput, match=f"look {before.id}, the opening, was read since"):
        shop.look(Channel(), ours=later, opening=before.id)
    with pytest.raises(BadInput, match="there is no look 77"):
        shop.look(Channel(), opening=77)


def test_the_assortment_has_the_best_sellers_first_and_what_changed(shop: Shop) -> None:
    shop.stock(5, "CUP", seconds_ago=60)
    shop.stock(5, "POT", seconds_ago=9000)
    shop.execute("UPDATE stock SET changed_at = changed_at - interval '1 day' WHERE sku = 'TEA'")
    shop.order("a", lines=(("POT", 3), ("TEA", 2)))

    found = shop.quality().assortment(shop.ours(), AMAZON)

    assert found.best_first == ("POT", "TEA", "CUP")
    assert found.changed == {"CUP"}


def test_a_row_that_cannot_be_kept_makes_its_channel_unknown(shop: Shop) -> None:
    found = shop.look(Channel((listed(5, "a\0b"),), (sold("a"),)))

    assert "a row of amazon-us cannot be kept" in found.parts[AMAZON].unknown
