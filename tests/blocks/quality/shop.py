"""A shop, its channels, and looks at them: rows made by hand, times in seconds before the look."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg

from blocks.channels.reading import Incomplete, Reading, Tally
from blocks.ledger.migrate import upgrade
from blocks.quality import Ours, Quality, Readings, Scope
from domain.channel import Line, Order, StockRow
from domain.checks.looks import Look
from domain.checks.settings import Checks

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SINCE = NOW - timedelta(hours=2)
SETTLE_SECONDS = 900
CHECKS = Checks(import_seconds=900, push_seconds=900, ship_seconds=3600)
AMAZON, EBAY = "amazon-us", "ebay-de"

TABLES = """
CREATE TABLE stock (channel text, sku text, quantity int, changed_at timestamptz, pool text,
                    pool_quantity int, buffer int, allocation int, active boolean);
CREATE TABLE orders (channel text, order_id text, currency text, total numeric,
                     placed_at timestamptz, imported_at timestamptz, status text, cancelled boolean,
                     shipped_at timestamptz, idempotency_key text);
CREATE TABLE lines (channel text, order_id text, sku text, quantity int);
CREATE TABLE movements (channel text, sku text, delta int, reason text, at timestamptz);
CREATE TABLE pushes (channel text, sku text, quantity int, pushed_at timestamptz);
CREATE TABLE events (channel text, order_id text, received_at timestamptz);
"""
TIMED = {"orders": "placed_at", "movements": "at", "pushes": "pushed_at", "events": "received_at"}
QUERIES = {
    name: f"SELECT * FROM {name} WHERE channel = %(channel)s"
    + (f" AND {TIMED[name]} >= %(since)s" if name in TIMED else "")
    for name in ("stock", "orders", "lines", "movements", "pushes", "events")
}


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


@dataclass
class Shop:
    """Its tables hold what a test puts in; ``look`` is one at ``NOW`` unless it says otherwise."""

    url: str

    def open(self) -> "Shop":
        upgrade(self.url)
        self.execute(TABLES)
        return self

    def execute(self, statement: str, *values: object) -> None:
        with psycopg.connect(self.url) as connection:
            connection.execute(statement.encode(), values)

    def put(self, table: str, **row: object) -> None:
        row = {"channel": AMAZON, **row}
        places = ", ".join(["%s"] * len(row))
        self.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", *row.values())

    def stock(
        self, quantity: int, sku: str = "TEA", seconds_ago: float = 7200, **more: Any
    ) -> None:
        self.put("stock", sku=sku, quantity=quantity, changed_at=ago(seconds_ago), **more)

    def order(self, order_id: str = "a", seconds_ago: float = 3600, **more: Any) -> None:
        """Of two TEA for 25.00 USD, imported a minute after it was placed."""
        lines = more.pop("lines", (("TEA", 2),))
        row = {"currency": "USD", "total": Decimal("25.00"), "placed_at": ago(seconds_ago),
               "imported_at": ago(seconds_ago - 60), "status": "open", **more}  # fmt: skip
        self.put("orders", order_id=order_id, **row)
        for sku, quantity in lines:
            self.put("lines", order_id=order_id, sku=sku, quantity=quantity,
                     channel=more.get("channel", AMAZON))  # fmt: skip

    def moved(self, delta: int, reason: str, seconds_ago: float, sku: str = "TEA") -> None:
        self.put("movements", sku=sku, delta=delta, reason=reason, at=ago(seconds_ago))

    def ours(self, **queries: str) -> Ours:
        return Ours(self.url, {**QUERIES, **queries}, SINCE)

    def quality(self, at: datetime = NOW) -> Quality:
        return Quality(self.url, lambda: at)

    def look(self, *channels: "Channel", at: datetime = NOW, **scope: Any) -> Look:
        return self.compare({one.name: one.readings(at) for one in channels}, at, **scope)

    def compare(self, readings: Readings, at: datetime = NOW, **scope: Any) -> Look:
        ours = scope.pop("ours", self.ours())
        given = {"purpose": "first", "checks": CHECKS, "settle_seconds": SETTLE_SECONDS, **scope}
        return self.quality(at).look(Scope("production", **given), ours, readings)


@dataclass(frozen=True)
class Channel:
    """What a marketplace answers: whole, unless it ends for the ``reason``."""

    stock: tuple[StockRow, ...] = ()
    orders: tuple[Order, ...] = ()
    name: str = AMAZON
    reason: str = ""
    tally: Mapping[str, Any] = field(default_factory=dict)

    def readings(self, at: datetime) -> tuple[Reading[StockRow], Reading[Order]]:
        return self._reading(self.stock, at), self._reading(self.orders, at)

    def _reading(self, rows: Sequence[Any], at: datetime) -> Reading[Any]:
        def answered(tally: Tally) -> Iterator[Any]:
            tally.calls += 1
            for name, value in self.tally.items():
                setattr(tally, name, value)
            yield from rows
            if self.reason:
                raise Incomplete(self.reason)

        ended = self.tally.get("ended_at", at)
        return Reading(answered, iter((at, ended)).__next__)


def listed(quantity: int, sku: str = "TEA", seconds_ago: float = 7200, **more: Any) -> StockRow:
    return replace(StockRow(sku, quantity, 0, ago(seconds_ago)), **more)


def sold(order_id: str = "a", seconds_ago: float = 3600, **more: Any) -> Order:
    """The same order as ``Shop.order`` makes, as the marketplace tells it."""
    at = ago(seconds_ago)
    order = Order(order_id, at, at, "Unshipped", "USD", Decimal("25.00"), (Line("TEA", 2),))
    return replace(order, **more)
