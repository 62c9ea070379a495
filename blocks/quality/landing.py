"""Rows landed in a comparison's tables: ours of one moment, then every channel's side by side."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from blocks.channels.reading import Reading
from blocks.quality.database import Schema
from blocks.quality.scope import Scope
from blocks.quality.shop import Ours, Shop, answered, columns, explained, moment, piped, selected
from blocks.quality.volume import expected_orders
from domain.channel import Fetch, Order, StockRow
from domain.checks.settings import QUERIES
from domain.errors import BadInput, Unavailable

Readings = Mapping[str, tuple[Reading[StockRow], Reading[Order]]]

THEIRS: Mapping[str, tuple[str, ...]] = {
    "their_stock": ("channel text", "sku text", "quantity int8", "reserved int8",
                    "updated_at timestamptz", "active bool"),
    "their_orders": ("channel text", "order_id text", "currency text", "total numeric",
                     "created_at timestamptz", "updated_at timestamptz", "progress text"),
    "their_lines": ("channel text", "order_id text", "sku text", "quantity int8",
                    "updated_at timestamptz"),
    "asked": ("channel text", "sku text"),
}  # fmt: skip


@dataclass(frozen=True)
class Mine:
    """What the shop answered: the moment of its rows, and since when its orders are there.

    ``columns`` are the columns that each query answers, as "query.column" and "query";
    ``expected`` orders in the quarter of an hour that is judged (None: too little is known).
    """

    at: datetime
    since: datetime
    columns: Mapping[str, frozenset[str]]
    expected: Mapping[str, float | None]


@dataclass(frozen=True)
class Answer:
    """How a channel's two readings went; ``problem`` is why it could not be asked at all."""

    stock: Fetch | None = None
    orders: Fetch | None = None
    problem: str = ""

    @property
    def fetches(self) -> tuple[Fetch, ...]:
        return tuple(one for one in (self.stock, self.orders) if one is not None)


def landed(
    schema: Schema, scope: Scope, ours: Ours, readings: Readings, now: Callable[[], datetime]
) -> tuple[Mine, Mapping[str, Answer]]:
    """Ours first: whatever a channel sells meanwhile is under way, never missing there."""
    _create(schema)
    _ask(schema, scope)
    mine = _mine(schema, scope, ours, tuple(readings), now)
    with ThreadPoolExecutor(max(1, len(readings))) as side_by_side:
        under_way = {
            channel: side_by_side.submit(_theirs, schema, channel, *pair)
            for channel, pair in readings.items()
        }
        answers = {channel: one.result() for channel, one in under_way.items()}
    return mine, answers


def _create(schema: Schema) -> None:
    """A query that is not declared has an empty table."""
    tables = dict(THEIRS)
    for name in QUERIES:
        ours = (f"{column} {kind}" for column, kind in columns(name))
        tables[f"our_{name}"] = ("channel text", *ours)
    with schema.connection() as connection:
        for table, shown in tables.items():
            connection.execute(f"CREATE UNLOGGED TABLE {table} ({', '.join(shown)})".encode())


def _ask(schema: Schema, scope: Scope) -> None:
    with schema.connection() as connection:
        _copied(connection, "asked", ((channel, sku) for channel, skus in scope.asked.items()
                                      for sku in skus))  # fmt: skip


def _mine(
    schema: Schema, scope: Scope, ours: Ours, channels: tuple[str, ...],
    now: Callable[[], datetime],
) -> Mine:  # fmt: skip
    with moment(ours) as shop, schema.connection() as connection:
        at = now()
        there = {
            channel: frozenset().union(
                *(_query(shop, connection, ours, name, channel) for name in ours.declared)
            )
            for channel in channels
        }
        expected = {
            channel: expected_orders(shop, ours, channel, at, scope) for channel in channels
        }
    return Mine(at, ours.since, there, expected)


def _query(
    shop: Shop, connection: psycopg.Connection[Any], ours: Ours, name: str, channel: str
) -> frozenset[str]:
    there = answered(shop, ours, name, channel)
    target = f"COPY our_{name} FROM STDIN (FORMAT binary)".encode()
    with connection.cursor().copy(target) as copy, explained(name):
        piped(shop, selected(ours, name, there), ours.values(channel), copy)
    return frozenset({name, *(f"{name}.{column}" for column in there)})


def _theirs(
    schema: Schema, channel: str, stock: Reading[StockRow], orders: Reading[Order]
) -> Answer:
    """Stock before orders, so that every sale in it is known."""
    try:
        with schema.connection() as connection:
            _copied(connection, "their_stock", (
                (channel, row.sku, row.quantity, row.reserved, row.updated_at, row.active)
                for row in stock
            ))  # fmt: skip
            _land_orders(schema, channel, orders)
        return Answer(stock.fetch, orders.fetch)
    except (BadInput, Unavailable) as error:
        return Answer(problem=str(error))
    except psycopg.DataError as error:
        return Answer(problem=f"a row of {channel} cannot be kept: {error}")


def _land_orders(schema: Schema, channel: str, orders: Reading[Order]) -> None:
    """Orders and their lines at once, on a connection each: an order is read only once."""
    with ExitStack() as both:
        copies = []
        for table in ("their_orders", "their_lines"):
            connection = both.enter_context(schema.connection())
            copies.append(both.enter_context(_copying(connection, table)))
        heads, lines = copies
        for order in orders:
            heads.write_row((
                channel, order.order_id, order.currency, order.total, order.created_at,
                order.updated_at, order.progress,
            ))  # fmt: skip
            for line in order.lines:
                lines.write_row(
                    (channel, order.order_id, line.sku, line.quantity, order.updated_at)
                )


def _copied(
    connection: psycopg.Connection[Any], table: str, rows: Iterable[tuple[object, ...]]
) -> None:
    with _copying(connection, table) as copy:
        for row in rows:
            copy.write_row(row)


@contextmanager
def _copying(connection: psycopg.Connection[Any], table: str) -> Iterator[psycopg.Copy]:
    """In binary, which is four times as fast as text."""
    statement = f"COPY {table} FROM STDIN (FORMAT binary)".encode()
    with connection.cursor().copy(statement) as copy:
        copy.set_types([column.split()[1] for column in THEIRS[table]])
        yield copy
