"""Every check of the catalogue, once right and once violated, on a real comparison."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain.channel import Line, Order, Quota, StockRow
from domain.checks.catalogue import ALL, CHECKS
from domain.checks.looks import Look
from tests.blocks.quality.shop import AMAZON, NOW, Channel, Shop, ago, listed, sold

PLACED = {"a": 3600, "b": 1700, "c": 1600, "d": 1500}
"""Seconds ago; *c* was cancelled, *d* is shipped; the opening is between *a* and *b*."""

OPENED_SECONDS_AGO = 1800
OF_NUMBERS = ("PAG-01", "ORD-07", "LAG-01", "RATE-01", "VER-01")


@dataclass(frozen=True)
class Story:
    """A shop and its channel that agree in everything, looked at since an opening."""

    shop: Shop
    opening: int
    channel: Channel

    def look(self, **changed: Any) -> Look:
        return self.shop.look(replace(self.channel, **changed), opening=self.opening)


@pytest.fixture
def story(database_url: str) -> Story:
    shop = Shop(database_url).open()
    shop.stock(98, pool="tea", pool_quantity=98, seconds_ago=3540)
    shop.stock(0, "CUP")
    shop.order("a", seconds_ago=PLACED["a"])
    shop.moved(-2, "order", 3540)
    before = shop.look(
        Channel((listed(98), listed(0, "CUP")), (sold("a"),)),
        at=ago(OPENED_SECONDS_AGO), purpose="baseline",
    )  # fmt: skip
    goes_on(shop)
    return Story(shop, before.id, Channel(their_stock(), their_orders()))


def goes_on(shop: Shop) -> None:
    """Two orders sell four TEA, a third one is cancelled, ten are bought in."""
    for number in ("b", "c", "d"):
        shop.order(
            number, seconds_ago=PLACED[number], cancelled=number == "c",
            shipped_at=ago(1400) if number == "d" else None,
        )  # fmt: skip
        shop.moved(-2, "order", PLACED[number] - 60)
    shop.moved(2, "cancellation", 1450)
    shop.moved(10, "purchase", 1440)
    shop.execute("UPDATE stock SET quantity = 104, changed_at = %s WHERE sku = 'TEA'", ago(1440))
    shop.execute("UPDATE stock SET pool_quantity = 104 WHERE pool = 'tea'")
    shop.put("pushes", sku="TEA", quantity=104, pushed_at=ago(1430))
    for number in PLACED:
        shop.put("events", order_id=number, received_at=ago(1400))


def their_stock(quantity: int = 104, **more: Any) -> tuple[StockRow, ...]:
    return listed(quantity, seconds_ago=1430, **more), listed(0, "CUP")


def their_orders(**changed: Mapping[str, Any]) -> tuple[Order, ...]:
    orders = {
        "a": sold("a"),
        "b": sold("b", PLACED["b"]),
        "c": sold("c", PLACED["c"], progress="cancelled", updated_at=ago(1460)),
        "d": sold("d", PLACED["d"], progress="shipped", updated_at=ago(1400)),
    }
    return tuple(replace(order, **changed.get(number, {})) for number, order in orders.items())


def without(number: str) -> tuple[Order, ...]:
    return tuple(order for order in their_orders() if order.order_id != number)


def test_what_agrees_violates_no_check_and_every_check_is_made(story: Story) -> None:
    story.shop.execute("UPDATE orders SET shipped_at = %s WHERE order_id = 'd'", ago(4000))

    found = story.look()

    by_rows = {check.id for check in CHECKS} - {*OF_NUMBERS, "INV-02"}
    assert {part.unknown for part in found.parts.values()} == {""}
    assert found.parts[AMAZON].violating == found.parts[ALL].violating == {}
    assert {check for check, count in found.parts[AMAZON].compared.items() if count} == by_rows
    assert found.parts[ALL].compared == {"INV-02": 1}


HERE = (
    ("INV-01", "UPDATE stock SET quantity = 103 WHERE sku = 'TEA'"),
    ("INV-03", "UPDATE stock SET quantity = -1 WHERE sku = 'CUP'"),
    ("INV-05", "UPDATE stock SET quantity = 5 WHERE sku = 'CUP'"),
    ("INV-06", "DELETE FROM stock WHERE sku = 'CUP'"),
    ("INV-06", "UPDATE stock SET sku = 'POT' WHERE sku = 'CUP'"),
    ("INV-07", "UPDATE stock SET quantity = 102 WHERE sku = 'TEA'"),
    ("INV-07", "INSERT INTO movements VALUES ('amazon-us', 'TEA', -2, 'correction', now())"),
    ("INV-08", "DELETE FROM movements WHERE reason = 'purchase'"),
    ("INV-09", "UPDATE stock SET quantity = 10 WHERE sku = 'TEA'"),
    ("INV-10", "UPDATE pushes SET pushed_at = pushed_at - interval '1 hour', quantity = 98;"
               " UPDATE stock SET quantity = 100 WHERE sku = 'TEA'"),
    ("ORD-01", "DELETE FROM orders WHERE order_id = 'b'"),
    ("ORD-02", "INSERT INTO orders SELECT * FROM orders WHERE order_id = 'b'"),
    ("ORD-02", "UPDATE orders SET idempotency_key = 'one'"),
    ("ORD-03", "UPDATE orders SET order_id = 'z' WHERE order_id = 'b'"),
    ("ORD-04", "UPDATE orders SET total = 24.99 WHERE order_id = 'b'"),
    ("ORD-04", "UPDATE orders SET currency = 'EUR' WHERE order_id = 'b'"),
    ("ORD-04", "UPDATE orders SET total = NULL WHERE order_id = 'b'"),
    ("ORD-05", "UPDATE lines SET quantity = 1 WHERE order_id = 'b'"),
    ("ORD-05", "UPDATE lines SET sku = 'CUP' WHERE order_id = 'b'"),
    ("ORD-05", "INSERT INTO lines SELECT * FROM lines WHERE order_id = 'b'"),
    ("ORD-05", "DELETE FROM lines WHERE order_id = 'b'"),
    ("ORD-06", "UPDATE orders SET cancelled = false WHERE order_id = 'c'"),
    ("TZ-01", "UPDATE orders SET placed_at = placed_at + interval '1 hour' WHERE order_id = 'b'"),
    ("HOOK-01", "DELETE FROM events WHERE order_id = 'b'"),
)  # fmt: skip
THERE = (
    ("INV-01", {"stock": their_stock(105)}),
    ("INV-01", {"stock": their_stock(103)}),
    ("INV-03", {"stock": (listed(104), listed(-1, "CUP"))}),
    ("INV-04", {"stock": (listed(104), listed(1, "CUP"))}),
    ("INV-05", {"stock": (listed(0), listed(0, "CUP"))}),
    ("INV-06", {"stock": (listed(104),)}),
    ("INV-06", {"stock": (*their_stock(), listed(1, "POT"))}),
    ("ORD-01", {"orders": (*their_orders(), sold("e", 1000))}),
    ("ORD-03", {"orders": without("b")}),
    ("ORD-04", {"orders": their_orders(b={"total": Decimal("25.01")})}),
    ("ORD-05", {"orders": their_orders(b={"lines": (Line("TEA", 1), Line("TEA", 1))})}),
    ("ORD-06", {"orders": their_orders(b={"progress": "cancelled"})}),
    ("TZ-01", {"orders": their_orders(b={"created_at": ago(PLACED["b"] + 8 * 3600)})}),
)


@pytest.mark.parametrize(("check", "statement"), HERE)
def test_each_check_finds_what_is_wrong_here(story: Story, check: str, statement: str) -> None:
    story.shop.execute(statement)

    assert story.look().parts[AMAZON].violating.get(check), check


@pytest.mark.parametrize(("check", "changed"), THERE)
def test_each_check_finds_what_is_wrong_there(
    story: Story, check: str, changed: dict[str, Any]
) -> None:
    assert story.look(**changed).parts[AMAZON].violating.get(check), check


def test_what_was_shipped_long_ago_here_is_shipped_there(story: Story) -> None:
    story.shop.execute("UPDATE orders SET shipped_at = %s WHERE order_id = 'd'", ago(4000))

    found = story.look(orders=their_orders(d={"progress": "open"}))

    assert found.parts[AMAZON].violating == {"ORD-08": 1}


def test_more_for_sale_than_a_pool_has_is_found_over_all_channels(story: Story) -> None:
    found = story.look(stock=their_stock(105))

    assert found.parts[ALL].violating == {"INV-02": 1}


@pytest.mark.parametrize(
    ("currency", "apart", "violated"),
    [("USD", "0.005", False), ("USD", "0.006", True), ("JPY", "0.5", False), ("JPY", "0.6", True),
     ("KWD", "0.0005", False), ("KWD", "0.001", True)],
)  # fmt: skip
def test_money_may_differ_by_half_a_minor_unit(
    story: Story, currency: str, apart: str, violated: bool
) -> None:
    story.shop.execute("UPDATE orders SET currency = %s WHERE order_id = 'b'", currency)

    total = Decimal("25.00") + Decimal(apart)
    found = story.look(orders=their_orders(b={"total": total, "currency": currency}))

    assert bool(found.parts[AMAZON].violating.get("ORD-04")) is violated


def test_the_lag_is_that_of_the_slowest_orders(story: Story) -> None:
    story.shop.execute("UPDATE orders SET imported_at = placed_at + interval '10 minutes'"
                       " WHERE order_id = 'd'")  # fmt: skip

    measures = story.look().parts[AMAZON].measures

    assert measures.lag_orders == 4
    assert measures.lag_seconds == pytest.approx(60 + 0.85 * 540)


def test_the_usual_number_of_orders_is_that_of_the_same_hour_of_the_weeks_before(
    story: Story,
) -> None:
    for week in (1, 2, 3, 4):
        for minute in (0, 20, 40):  # three in the hour, so 0.75 in a quarter of it
            at = NOW - timedelta(weeks=week, hours=1, minutes=-minute)
            story.shop.order(f"{week} {minute}", seconds_ago=(NOW - at).total_seconds())

    measures = story.look().parts[AMAZON].measures

    assert measures.volume == (3, 3, 0.75)  # b, c and d, placed from 11:30 to 11:45


def test_nothing_is_said_of_volume_without_two_weeks_of_orders(story: Story) -> None:
    assert story.look().parts[AMAZON].measures.volume is None


def test_days_are_counted_in_the_channels_own_time(story: Story) -> None:
    found = story.shop.look(story.channel, zones={AMAZON: "Pacific/Kiritimati"})

    assert found.parts[AMAZON].measures.days == {"2026-11-25": (4, 4)}


def test_lost_events_calls_quota_and_version_are_told(story: Story) -> None:
    channel = replace(
        story.channel,
        tally={"calls": 30, "refused": 2, "lost_events": 1, "version": "2026-07",
               "pinned": "2026-10"},
    )  # fmt: skip

    measures = story.shop.look(channel, quotas={AMAZON: Quota(100, 25, 60)}).parts[AMAZON].measures

    assert (measures.calls, measures.refused, measures.remaining) == (60, 4, 0.25)
    assert (measures.version, measures.pinned) == ("2026-07", "2026-10")
    assert measures.events == (4, 4, 2)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"reason": "429 QuotaExceeded"}, "stock is not whole: 429 QuotaExceeded"),
        ({"tally": {"reported": 3}}, "stock has 2 rows, 3 are reported"),
        ({"tally": {"skew_seconds": -1000.0}}, "clock that is -1000 s off, 900 s allowed"),
        ({"stock": (*their_stock(), *their_stock())}, "stock repeats 2 rows, CUP is one"),
        ({"orders": (*their_orders(), sold("a"))}, "orders repeats 1 rows, a is one"),
    ],
)
def test_nothing_is_concluded_from_an_answer_that_is_not_whole(
    story: Story, changed: dict[str, Any], reason: str
) -> None:
    part = story.look(**changed).parts[AMAZON]

    assert reason in part.unknown
    assert not any(part.compared.values())


def test_nothing_is_concluded_from_snapshots_that_are_far_apart(story: Story) -> None:
    late = NOW + timedelta(seconds=901)
    readings = {AMAZON: (story.channel.readings(late)[0], story.channel.readings(NOW)[1])}

    found = story.shop.compare(readings)

    assert found.parts[AMAZON].unknown == "stock was read up to 901 s after ours, 900 s allowed"


def test_an_order_that_changed_between_two_pages_counts_once_as_it_is_now(story: Story) -> None:
    shipped = replace(their_orders()[1], updated_at=ago(10), progress="shipped")

    part = story.look(orders=(*their_orders(), shipped)).parts[AMAZON]

    assert (part.unknown, part.violating) == ("", {})
    assert part.compared["ORD-05"] == 3
