"""What an honest lag explains is no violation; what it cannot explain is one, on hot SKUs, too."""

from dataclasses import replace

import pytest

from domain.channel import Order
from domain.checks.catalogue import ALL
from domain.checks.looks import Look
from tests.blocks.quality.shop import (
    AMAZON,
    CHECKS,
    EBAY,
    SETTLE_SECONDS,
    Channel,
    Shop,
    ago,
    listed,
    sold,
)


@pytest.fixture
def shop(database_url: str) -> Shop:
    return Shop(database_url).open()


def violating(look: Look, check: str, channel: str = AMAZON) -> int:
    return look.parts[channel].violating.get(check, 0)


@pytest.mark.parametrize(("theirs", "wrong"), [(98, 0), (100, 0), (97, 1), (101, 1)])
def test_an_order_under_way_explains_as_many_units_as_it_has(
    shop: Shop, theirs: int, wrong: int
) -> None:
    shop.stock(100)

    found = shop.look(Channel((listed(theirs, seconds_ago=200),), (sold("a", 200),)))

    assert violating(found, "INV-01") == wrong
    assert violating(found, "ORD-01") == 0


def test_a_pending_order_is_never_missing_and_its_units_are_reserved(shop: Shop) -> None:
    shop.stock(100)

    pending = sold("a", 5000, progress="pending")
    found = shop.look(Channel((listed(98),), (pending,)))
    unlisted = shop.look(Channel((listed(97, reserved=3),)))

    assert violating(found, "INV-01") == violating(found, "ORD-01") == 0
    assert violating(unlisted, "INV-01") == 0


def test_an_order_cancelled_before_it_was_imported_is_not_missing(shop: Shop) -> None:
    shop.stock(100)

    found = shop.look(Channel((listed(100),), (sold("a", progress="cancelled"),)))

    assert violating(found, "ORD-01") == 0


def test_an_order_from_before_the_window_is_not_missing(shop: Shop) -> None:
    shipped = sold("a", 3 * 3600, updated_at=ago(3600), progress="shipped")

    assert violating(shop.look(Channel((), (shipped,))), "ORD-01") == 0


def moving(shop: Shop, quantity: int, *moves: tuple[int, int]) -> None:
    """A SKU that has ``quantity`` now, after (delta, seconds ago) of moves."""
    shop.stock(quantity, seconds_ago=min(seconds for _, seconds in moves))
    for delta, seconds in moves:
        shop.moved(delta, "purchase", seconds)


@pytest.mark.parametrize(("theirs", "wrong"), [(110, 0), (100, 0), (105, 0), (120, 1), (80, 1)])
def test_a_hot_sku_is_held_against_the_range_it_had_within_the_window(
    shop: Shop, theirs: int, wrong: int
) -> None:
    moving(shop, 110, (20, 5000), (-10, 800), (10, 400), (10, 100))

    found = shop.look(Channel((listed(theirs, seconds_ago=300),)))

    assert violating(found, "INV-01") == wrong


def test_what_changed_long_ago_has_no_range_any_more(shop: Shop) -> None:
    moving(shop, 110, (10, SETTLE_SECONDS + 1))

    assert violating(shop.look(Channel((listed(100),))), "INV-01") == 1


def test_a_change_that_no_movement_explains_is_left_to_later_looks(shop: Shop) -> None:
    shop.stock(110, seconds_ago=100)

    found = shop.look(Channel((listed(100),)))

    assert (found.parts[AMAZON].compared["INV-01"], violating(found, "INV-01")) == (0, 0)


def test_what_the_channel_was_told_after_our_moment_is_left_to_later_looks(shop: Shop) -> None:
    shop.stock(100)

    pushed = shop.look(Channel((listed(120, seconds_ago=-5),)))
    sale = (sold("a", -5),)
    bought = shop.look(Channel((listed(120, seconds_ago=-5),), sale))

    assert violating(pushed, "INV-01") == 0
    assert violating(bought, "INV-01") == 1, "a sale lowers stock, it does not raise it"


def test_sales_too_young_to_be_listed_may_have_lowered_the_stock(shop: Shop) -> None:
    shop.stock(100)

    young = shop.look(Channel((listed(95, seconds_ago=100),)))
    old = shop.look(Channel((listed(95, seconds_ago=400),)))

    assert (violating(young, "INV-01"), violating(old, "INV-01")) == (0, 1)


@pytest.mark.parametrize(("seconds_ago", "leaks"), [(SETTLE_SECONDS - 1, 0), (1000, 1)])
def test_what_is_sold_out_since_longer_than_the_window_leaks(
    shop: Shop, seconds_ago: int, leaks: int
) -> None:
    shop.stock(0, seconds_ago=seconds_ago)
    shop.moved(-5, "purchase", seconds_ago)

    assert violating(shop.look(Channel((listed(5),))), "INV-04") == leaks


def test_expected_is_what_is_left_of_the_buffer_and_at_most_the_allocation(shop: Shop) -> None:
    shop.stock(100, "CUP", buffer=10)
    shop.stock(100, "POT", buffer=10, allocation=40)
    shop.stock(5, "TEA", buffer=10)

    found = shop.look(Channel((listed(90, "CUP"), listed(40, "POT"), listed(0))))
    wrong = shop.look(Channel((listed(100, "CUP"), listed(41, "POT"), listed(1))))

    assert violating(found, "INV-01") == violating(found, "INV-04") == 0
    assert (violating(wrong, "INV-01"), violating(wrong, "INV-04")) == (3, 1)
    assert wrong.parts[AMAZON].units == 10 + 1 + 1


def test_a_tolerance_is_the_larger_of_units_and_share(shop: Shop) -> None:
    shop.stock(10, "CUP")
    shop.stock(1000)
    checks = replace(CHECKS, stock_tolerance_units=2, stock_tolerance_share=0.01)

    found = shop.look(Channel((listed(12, "CUP"), listed(990))), checks=checks)
    wrong = shop.look(Channel((listed(13, "CUP"), listed(989))), checks=checks)

    assert (violating(found, "INV-01"), violating(wrong, "INV-01")) == (0, 2)


def cancelled_lately() -> Order:
    return sold("a", 3600, progress="cancelled", updated_at=ago(300))


def test_what_was_cancelled_there_lately_may_be_for_sale_there_and_open_here(shop: Shop) -> None:
    shop.stock(0)
    shop.order("a", cancelled=False)

    found = shop.look(Channel((listed(2, seconds_ago=300),), (cancelled_lately(),)))

    assert violating(found, "ORD-06") == violating(found, "INV-01") == 0
    assert violating(found, "INV-04") == 0


def test_an_old_order_that_is_cancelled_explains_the_stock_it_gives_back(shop: Shop) -> None:
    shop.stock(98)
    before = shop.look(Channel((listed(98),)), purpose="baseline")
    shop.execute("UPDATE stock SET quantity = 100")
    shop.moved(2, "cancellation", 1000)

    cancelled = sold("a", 3 * 3600, progress="cancelled", updated_at=ago(1200))
    found = shop.look(Channel((listed(100),), (cancelled,)), opening=before.id)

    assert violating(found, "INV-07") == violating(found, "INV-08") == 0


def test_a_pool_moves_with_the_orders_of_all_its_channels(shop: Shop) -> None:
    for name in (AMAZON, EBAY):
        shop.stock(50, pool="tea", pool_quantity=100, channel=name)
    before = shop.look(Channel(), Channel(name=EBAY), purpose="baseline")
    shop.order("a")
    shop.execute("UPDATE stock SET quantity = 48")

    shared = shop.look(Channel(), Channel(name=EBAY), opening=before.id)
    shop.execute("UPDATE stock SET quantity = 46")
    twice = shop.look(Channel(), Channel(name=EBAY), opening=before.id)

    assert violating(shared, "INV-07") == violating(shared, "INV-07", EBAY) == 0
    assert violating(twice, "INV-07") == violating(twice, "INV-07", EBAY) == 1


def test_money_that_changed_there_after_the_import_has_the_window_to_arrive(shop: Shop) -> None:
    shop.order("a", total=30)
    shop.order("b", total=30)
    refunded = sold("a", 3600, updated_at=ago(100))

    found = shop.look(Channel((), (refunded, sold("b"))))

    assert violating(found, "ORD-04") == 1, "b did not change since it was imported"


def test_a_pool_is_not_judged_while_one_of_its_channels_is_unknown(shop: Shop) -> None:
    for name in (AMAZON, EBAY):
        shop.stock(5, pool="tea", pool_quantity=5, channel=name)

    whole = shop.look(Channel((listed(3),)), Channel((listed(3),), name=EBAY))
    partly = shop.look(
        Channel((listed(3),)), Channel((listed(3),), name=EBAY, reason="429 QuotaExceeded")
    )

    assert whole.parts[ALL].violating == {"INV-02": 1}
    assert partly.parts[ALL].unknown.startswith(f"{EBAY}: stock is not whole: 429 QuotaExceeded")
    assert partly.parts[ALL].compared == {}


def test_channels_are_judged_side_by_side_each_by_its_own_answers(shop: Shop) -> None:
    shop.stock(5)
    shop.stock(5, channel=EBAY)
    shop.order("a", channel=EBAY)

    found = shop.look(
        Channel((listed(4),), reason="page 2 leads to one that was read before"),
        Channel((listed(5),), (sold("a", total=24),), name=EBAY),
    )

    assert "page 2" in found.parts[AMAZON].unknown
    assert found.parts[EBAY].unknown == ""
    assert found.parts[EBAY].violating == {"ORD-04": 1, "HOOK-01": 1}
