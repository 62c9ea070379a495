"""Comparisons of stock and orders: landed, computed once, judged by expectations."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

import psycopg
from psycopg import sql

from blocks.quality.expectations import unexpected
from blocks.quality.queries import COMPARE, LANDED
from domain.channel import OrderSnapshot, StockSnapshot
from domain.errors import Unavailable
from domain.reconcile import CHECKS, Look

LEFTOVER_SECONDS = 6 * 3600.0


@dataclass(frozen=True)
class Ours:
    """The shop's own rows of one moment, by the queries of shop.yaml.

    ``before`` is the baseline: per SKU its stock, and the ``balance`` that explained it.
    """

    stock: Sequence[Mapping[str, Any]]
    orders: Sequence[Mapping[str, Any]]
    lines: Sequence[Mapping[str, Any]]
    movements: Sequence[Mapping[str, Any]]
    before: Mapping[str, tuple[int, int]]


@dataclass(frozen=True)
class Tolerance:
    """Channel orders older than ``settled`` must be here; units and share are of stock."""

    settled: datetime
    units: int
    share: float


def balance(ours: Ours) -> dict[str, int]:
    """Per SKU what orders and other movements add up to: its change explains the stock's change."""
    found: dict[str, int] = {}
    for line in ours.lines:
        found[line["sku"]] = found.get(line["sku"], 0) - line["quantity"]
    for movement in ours.movements:
        if movement["reason"] != "order":
            found[movement["sku"]] = found.get(movement["sku"], 0) + movement["delta"]
    return found


class Quality:
    """Works in a schema of its own per comparison, which is gone afterwards."""

    def __init__(self, url: str) -> None:
        self.url = url

    def look(
        self, ours: Ours, stock: StockSnapshot, orders: OrderSnapshot, tolerance: Tolerance
    ) -> Look:
        """One comparison of a channel. A snapshot that is not whole makes everything unknown."""
        unknown = _not_whole(stock, orders)
        if unknown:
            return Look({}, {}, 0, unknown)
        schema = f"recon_{int(time.time())}_{uuid4().hex[:8]}"
        self._clear_leftovers()
        try:
            self._compare(schema, _rows(ours, stock, orders), tolerance)
            return self._read(schema)
        except psycopg.OperationalError as error:
            raise Unavailable(f"the comparison's database does not answer: {error}") from error
        finally:
            self._drop(schema)

    def _compare(
        self, schema: str, rows: Mapping[str, list[tuple[Any, ...]]], tolerance: Tolerance
    ) -> None:
        with psycopg.connect(self.url) as connection:
            connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
            connection.execute(
                sql.SQL("SET LOCAL search_path TO {}").format(sql.Identifier(schema))
            )
            for name, columns in LANDED.items():
                connection.execute(f"CREATE UNLOGGED TABLE {name} ({columns})".encode())
                with connection.cursor().copy(f"COPY {name} FROM STDIN".encode()) as copy:
                    for row in rows[name]:
                        copy.write_row(row)
            connection.execute(COMPARE.encode(), vars(tolerance))

    def _read(self, schema: str) -> Look:
        violations, broken = unexpected(self.url, schema, [check.id for check in CHECKS])
        with psycopg.connect(self.url) as connection:
            counted = connection.execute(
                sql.SQL("SELECT check_id, count(*) FROM {}.comparison GROUP BY check_id").format(
                    sql.Identifier(schema)
                )
            ).fetchall()
            units = connection.execute(
                sql.SQL("SELECT coalesce(sum(units), 0) FROM {}.comparison").format(
                    sql.Identifier(schema)
                )
            ).fetchone()
        return Look(dict(counted), violations, int(units[0]) if units else 0, broken)

    def _clear_leftovers(self) -> None:
        """Schemas whose maker died: older than any look takes."""
        with psycopg.connect(self.url) as connection:
            rows = connection.execute(
                "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'recon\\_%'"
            ).fetchall()
        for (schema,) in rows:
            if int(schema.split("_")[1]) < time.time() - LEFTOVER_SECONDS:
                self._drop(schema)

    def _drop(self, schema: str) -> None:
        with psycopg.connect(self.url) as connection:
            connection.execute(
                sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema))
            )


def _not_whole(stock: StockSnapshot, orders: OrderSnapshot) -> str:
    """PAG-01: every page, none refused for good, no row twice."""
    for name, fetch in (("stock", stock.fetch), ("orders", orders.fetch)):
        if not fetch.complete:
            return f"{name} is not whole: {fetch.reason}"
        if fetch.repeated:
            return f"{name} repeats {fetch.repeated} rows"
    return ""


def _rows(
    ours: Ours, stock: StockSnapshot, orders: OrderSnapshot
) -> dict[str, list[tuple[Any, ...]]]:
    return {
        "our_stock": _picked(ours.stock, "sku", "quantity"),
        "our_orders": _picked(ours.orders, "order_id", "currency", "total", "placed_at"),
        "our_lines": _picked(ours.lines, "order_id", "sku", "quantity"),
        "movements": _picked(ours.movements, "sku", "delta", "reason"),
        "stock_before": [(sku, *known) for sku, known in ours.before.items()],
        "channel_stock": [(row.sku, row.quantity, row.updated_at) for row in stock.rows],
        "channel_orders": [
            (order.order_id, order.currency, order.total, order.created_at, order.status)
            for order in orders.orders
        ],
        "channel_lines": [
            (order.order_id, line.sku, line.quantity)
            for order in orders.orders
            for line in order.lines
        ],
    }


def _picked(rows: Iterable[Mapping[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in rows]
