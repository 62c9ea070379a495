"""The shop's database: its tables, its queries as shop.yaml declares them, its rows of a moment."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from random import Random

import psycopg

from tests.campaigns.checks.shop import Shop
from tests.campaigns.checks.street import CHANNELS

TABLES = """
CREATE UNLOGGED TABLE stock (channel text, sku text, quantity int, changed_at timestamptz,
    buffer int, pool_quantity int);
CREATE UNLOGGED TABLE orders (id bigint, channel text, order_id text, currency text,
    total numeric(14, 3), placed_at timestamptz, imported_at timestamptz, key text, status text,
    shipped_at timestamptz);
CREATE UNLOGGED TABLE lines (id bigint, sku text, quantity int);
CREATE UNLOGGED TABLE movements (channel text, sku text, delta int, reason text, at timestamptz);
CREATE UNLOGGED TABLE pushes (channel text, sku text, quantity int, pushed_at timestamptz,
    version text);
CREATE UNLOGGED TABLE events (channel text, order_id text, received_at timestamptz);
CREATE UNLOGGED TABLE orders_before (channel text, order_id text, currency text,
    total numeric(14, 3), placed_at timestamptz, imported_at timestamptz)
"""
NOW = ("stock", "orders", "lines", "movements", "pushes", "events")

QUERIES = {
    "stock": "SELECT sku, quantity, changed_at, buffer, sku AS pool, pool_quantity FROM stock"
    " WHERE channel = %(channel)s",
    "orders": "SELECT order_id, currency, total, placed_at, imported_at, status,"
    " status = 'cancelled' AS cancelled, shipped_at, key AS idempotency_key FROM orders"
    " WHERE channel = %(channel)s AND imported_at >= %(since)s UNION ALL"
    " SELECT order_id, currency, total, placed_at, imported_at, 'open', false, NULL, order_id"
    " FROM orders_before WHERE channel = %(channel)s AND imported_at >= %(since)s",
    "lines": "SELECT order_id, sku, quantity FROM lines JOIN orders USING (id)"
    " WHERE channel = %(channel)s AND imported_at >= %(since)s",
    "movements": "SELECT sku, delta, reason, at FROM movements"
    " WHERE channel = %(channel)s AND at >= %(since)s",
    "pushes": "SELECT sku, quantity, pushed_at, version FROM pushes"
    " WHERE channel = %(channel)s AND pushed_at >= %(since)s",
    "events": "SELECT order_id, received_at FROM events"
    " WHERE channel = %(channel)s AND received_at >= %(since)s",
}
WEEKS = 4


def create(url: str) -> None:
    with psycopg.connect(url) as connection:
        for statement in TABLES.split(";"):
            connection.execute(statement.encode())


def kept(url: str, shop: Shop) -> None:
    """The tables hold what the shop's books hold now."""
    rows: dict[str, Iterable[tuple[object, ...]]] = {
        "stock": (
            (channel, sku, row.quantity, row.changed_at, row.buffer, shop.pools[sku])
            for (channel, sku), row in shop.stock.items()
        ),
        "orders": (
            (one.id, one.channel, one.order_id, one.currency, one.total, one.placed_at,
             one.imported_at, one.key, one.status, one.shipped_at)
            for one in shop.orders
        ),
        "lines": ((order, *line) for order, lines in shop.lines.items() for line in lines),
        "movements": shop.movements,
        "pushes": shop.pushes,
        "events": shop.events,
    }  # fmt: skip
    with psycopg.connect(url) as connection:
        connection.execute(f"TRUNCATE {', '.join(NOW)}".encode())
        for table, values in rows.items():
            _copy(connection, table, values)


def weeks_before(url: str, begin: datetime, end: datetime, rate: float, random: Random) -> None:
    """Orders at the same hours of the same weekday, as many a minute as usual."""
    rows: list[tuple[object, ...]] = []
    for week in range(1, WEEKS + 1):
        for channel, (_, currency) in CHANNELS.items():
            at = begin - timedelta(weeks=week)
            while at < end - timedelta(weeks=week):
                at += timedelta(seconds=random.expovariate(rate / 60))
                rows.append((channel, f"before-{week}-{len(rows)}", currency, 10, at, at))
    with psycopg.connect(url) as connection:
        connection.execute("TRUNCATE orders_before")
        _copy(connection, "orders_before", rows)


def _copy(
    connection: "psycopg.Connection[tuple[object, ...]]",
    table: str,
    rows: Iterable[tuple[object, ...]],
) -> None:
    with connection.cursor().copy(f"COPY {table} FROM STDIN".encode()) as copy:
        for row in rows:
            copy.write_row(row)
