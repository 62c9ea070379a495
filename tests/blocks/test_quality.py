"""The checks on real comparisons: what each one finds, and what it leaves alone."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from blocks.quality import Ours, Quality, Tolerance
from domain.channel import Fetch, Line, Order, OrderSnapshot, StockRow, StockSnapshot
from domain.reconcile import Look, judged, verdict

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
WHOLE = Fetch(NOW, True, 1, 0, 0, "")
TOLERANCE = Tolerance(NOW - timedelta(seconds=10), 0, 0)


def order(number: str, quantity: int = 2, seconds_ago: int = 60) -> Order:
    at = NOW - timedelta(seconds=seconds_ago)
    return Order(number, at, at, "UNSHIPPED", "USD", Decimal("25.00"), (Line("TEA", quantity),))


def known(*numbers: str) -> dict[str, Any]:
    """The shop's own rows of these orders, as they should be."""
    return {
        "orders": [
            {"order_id": n, "currency": "USD", "total": Decimal("25.00"), "placed_at": NOW}
            for n in numbers
        ],
        "lines": [{"order_id": n, "sku": "TEA", "quantity": 2} for n in numbers],
        "movements": [{"sku": "TEA", "delta": -2, "reason": "order"} for _ in numbers],
    }


def ours(quantity: int, *numbers: str, **other: Any) -> Ours:
    rows = {
        "stock": [{"sku": "TEA", "quantity": quantity}],
        "before": {"TEA": (100, 0)},
        **known(*numbers),
    }
    return Ours(**{**rows, **other})


def channel(quantity: int, *orders: Order) -> tuple[StockSnapshot, OrderSnapshot]:
    return (
        StockSnapshot((StockRow("TEA", quantity, 0, NOW),), WHOLE),
        OrderSnapshot(orders, NOW - timedelta(hours=1), NOW, WHOLE),
    )


def look(database_url: str, mine: Ours, theirs: tuple[StockSnapshot, OrderSnapshot]) -> Look:
    return Quality(database_url).look(mine, *theirs, TOLERANCE)


def test_what_agrees_violates_nothing(database_url: str) -> None:
    found = look(database_url, ours(98, "a"), channel(98, order("a")))

    assert found.violations == {}
    assert found.compared["INV-01"] == found.compared["ORD-01"] == 1
    assert verdict(judged([found] * 3, found, found, 0)) == "pass"


def test_an_order_that_is_still_under_way_is_no_drift(database_url: str) -> None:
    found = look(database_url, ours(100), channel(98, order("a", seconds_ago=1)))

    assert found.violations == {}


@pytest.mark.parametrize(
    ("mine", "theirs", "check"),
    [
        (ours(96, "a"), channel(98, order("a")), "INV-01"),
        (ours(96, "a"), channel(98, order("a")), "INV-07"),
        (ours(-1, "a"), channel(98, order("a")), "INV-03"),
        (ours(0, "a"), channel(98, order("a")), "INV-04"),
        (ours(98), channel(98, order("a")), "ORD-01"),
        (ours(98, "a", orders=known("a", "a")["orders"]), channel(98, order("a")), "ORD-02"),
        (ours(98, "a"), channel(98, replace(order("a"), total=Decimal("24.98"))), "ORD-04"),
        (ours(98, "a"), channel(98, replace(order("a"), currency="EUR")), "ORD-04"),
        (ours(98, "a"), channel(98, order("a", quantity=3)), "ORD-05"),
    ],
)
def test_each_check_finds_what_it_is_for(
    database_url: str, mine: Ours, theirs: tuple[StockSnapshot, OrderSnapshot], check: str
) -> None:
    clean = look(database_url, ours(98, "a"), channel(98, order("a")))

    found = look(database_url, mine, theirs)
    outcomes = {one.check: one.result for one in judged([clean] * 3, found, found, 0)}

    assert check in found.violations
    assert outcomes[check] == "fail"


def test_half_a_cent_is_no_difference(database_url: str) -> None:
    near = replace(order("a"), total=Decimal("25.004"))

    assert look(database_url, ours(98, "a"), channel(98, near)).violations == {}


@pytest.mark.parametrize(
    "fetch",
    [
        replace(WHOLE, complete=False, reason="429 QuotaExceeded"),
        replace(WHOLE, repeated=1),
    ],
)
def test_what_is_not_whole_is_inconclusive(database_url: str, fetch: Fetch) -> None:
    stock, orders = channel(98, order("a"))

    found = look(database_url, ours(98, "a"), (replace(stock, fetch=fetch), orders))

    assert verdict(judged([found] * 3, found, found, 0)) == "inconclusive"


BAD = {"INV-01": {"TEA": "1 here, 2 there"}}


def seen(violations: Mapping[str, Mapping[str, str]]) -> Look:
    return Look({"INV-01": 8, "ORD-01": 3}, violations, 1)


def test_what_was_wrong_before_or_vanishes_by_itself_is_not_new() -> None:
    clean = seen({})

    assert verdict(judged([seen(BAD)] * 3, seen(BAD), seen(BAD), 0)) == "pass"
    assert verdict(judged([clean] * 3, seen(BAD), clean, 0)) == "pass"
    assert verdict(judged([clean] * 3, seen(BAD), seen(BAD), 0)) == "fail"


def test_nothing_compared_where_something_was_is_inconclusive() -> None:
    nothing = Look({}, {}, 0)

    assert verdict(judged([seen({})] * 3, nothing, nothing, 0)) == "inconclusive"
