"""The full check of stock and orders: by Tradewind, by plain SQL, and by Great Expectations.

All three land the same rows by the same code; every way runs in a process of its own.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import psutil
import psycopg

from blocks.channels.reading import Reading, Tally
from blocks.database import named
from blocks.ledger.migrate import sqlalchemy_url, upgrade
from blocks.quality import Ours, Quality, Scope
from blocks.quality.database import Ledger, Schema
from blocks.quality.landing import landed
from deployments.stack.postgres import Postgres
from domain.channel import Line, Order, StockRow
from domain.checks.settings import Checks
from tests.bench import plain
from tests.bench.results import Result, ratios, spread

CHANNELS = tuple(f"channel-{number}" for number in range(5))
SIZES = (100_000, 1_000_000)
LARGE = int(os.environ.get("TRADEWIND_BENCH_CHECKS_ROWS", "0"))
"""One more size, beyond what ``make bench`` has time for: 10 000 000."""

ROUNDS = {100_000: 3}
GX_MOST_ROWS = 1_000_000
SKUS_PER_ORDER = 10
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SINCE = NOW - timedelta(hours=24)
SETTLE_SECONDS = 900.0
MIB = 1 << 20
SAMPLE_SECONDS = 0.05
LIMIT_SECONDS = 3600

SHOP = """
CREATE TABLE stock AS SELECT c AS channel, 'SKU-' || n AS sku, n % 1000 AS quantity,
    timestamptz '2026-11-24 06:00Z' AS changed_at
FROM generate_series(1, {skus}) n, unnest(ARRAY[{channels}]) c;
CREATE TABLE orders AS SELECT c AS channel, c || '-' || n AS order_id, 'USD' AS currency,
    (n % 500 + 10)::numeric(12, 2) AS total,
    timestamptz '2026-11-24 06:00Z' + n % 10000 * interval '1 second' AS placed_at,
    timestamptz '2026-11-24 06:00Z' + (n % 10000 + 30) * interval '1 second' AS imported_at
FROM generate_series(1, {orders}) n, unnest(ARRAY[{channels}]) c;
CREATE TABLE lines AS SELECT c AS channel, c || '-' || n AS order_id,
    'SKU-' || (n * 10 + part) % {skus} + 1 AS sku, part + 1 AS quantity
FROM generate_series(1, {orders}) n, unnest(ARRAY[{channels}]) c, generate_series(0, 1) part;
CREATE TABLE movements AS SELECT channel, sku, -quantity AS delta, 'order' AS reason,
    timestamptz '2026-11-24 09:00Z' AS at FROM lines;
UPDATE stock SET quantity = quantity + 1 WHERE sku LIKE 'SKU-%7777';
UPDATE orders SET total = total + 1 WHERE order_id LIKE '%-%7777';
DELETE FROM lines WHERE order_id LIKE '%-%8888';
DELETE FROM orders WHERE order_id LIKE '%-%9999';
ANALYZE;
"""
"""One row of ten thousand is wrong: a drift, a price, lines or orders that are missing."""

QUERIES = {
    "stock": "SELECT * FROM stock WHERE channel = %(channel)s",
    "orders": "SELECT * FROM orders WHERE channel = %(channel)s AND placed_at >= %(since)s",
    "lines": "SELECT * FROM lines WHERE channel = %(channel)s",
    "movements": "SELECT * FROM movements WHERE channel = %(channel)s AND at >= %(since)s",
}
COLUMNS = ("rows of stock", "way", "seconds", "against plain SQL", "peak memory, MiB")

Measured = dict[str, float]


def checks() -> Result:
    """Round by round, so that what slows the machine slows every way."""
    rows, raw = [], {}
    for size in (*SIZES, *([LARGE] if LARGE else [])):
        measured = {way: [] for way in WAYS if way != "gx" or size <= GX_MOST_ROWS}
        with shop(size) as url:
            for _ in range(ROUNDS.get(size, 1)):
                for way, found in measured.items():
                    found.append(in_a_process(url, way, size))
        raw[str(size)] = measured
        seconds = {way: [one["seconds"] for one in found] for way, found in measured.items()}
        rows += [
            (f"{size:,}", WAYS[way], spread(seconds[way], 1),
             spread(ratios(seconds[way], seconds["plain"])),
             spread([one["bytes"] / MIB for one in found], 0))
            for way, found in measured.items()
        ]  # fmt: skip
    return Result("The full check of five channels", COLUMNS, tuple(rows), raw)


@contextmanager
def shop(size: int) -> Iterator[str]:
    """A server with the shop's database and, beside it, the ledger with an opening."""
    with tempfile.TemporaryDirectory(prefix="tradewind-bench-") as folder:
        Path(folder).chmod(0o711)  # as root the server runs as another user
        server = Postgres(Path(folder) / "data")
        server.start()
        server.create("shop")
        server.create("ledger")
        skus = size // len(CHANNELS)
        listed = ", ".join(f"'{channel}'" for channel in CHANNELS)
        with psycopg.connect(server.url("shop")) as connection:
            connection.execute(
                SHOP.format(skus=skus, orders=skus // SKUS_PER_ORDER, channels=listed).encode()
            )
        upgrade(server.url("ledger"))
        in_a_process(server.url(""), "opening", size)
        yield server.url("")
        server.stop()


def in_a_process(url: str, way: str, size: int) -> Measured:
    ran = subprocess.run(
        [sys.executable, "-m", "tests.bench.checks", url, way, str(size)],
        stdout=subprocess.PIPE, text=True, timeout=LIMIT_SECONDS, check=True,
    )  # fmt: skip
    found: Measured = json.loads(ran.stdout.splitlines()[-1])
    return found


def readings(size: int) -> dict[str, tuple[Reading[StockRow], Reading[Order]]]:
    """Row by row, as a client has them; nothing is kept."""
    skus = size // len(CHANNELS)
    return {
        channel: (
            Reading(lambda tally: stock(skus, tally), lambda: NOW),
            Reading(lambda tally, name=channel: orders(name, skus, tally), lambda: NOW),
        )
        for channel in CHANNELS
    }


def stock(skus: int, tally: Tally) -> Iterator[StockRow]:
    at = datetime(2026, 11, 24, 6, tzinfo=UTC)
    for number in range(1, skus + 1):
        yield StockRow(f"SKU-{number}", number % 1000, 0, at)


def orders(channel: str, skus: int, tally: Tally) -> Iterator[Order]:
    for number in range(1, skus // SKUS_PER_ORDER + 1):
        at = datetime(2026, 11, 24, 6, tzinfo=UTC) + timedelta(seconds=number % 10000)
        lines = tuple(Line(f"SKU-{(number * 10 + part) % skus + 1}", part + 1) for part in (0, 1))
        total = Decimal(number % 500 + 10)
        yield Order(f"{channel}-{number}", at, at, "Unshipped", "USD", total, lines)


def scope(purpose: str, opening: int | None) -> Scope:
    return Scope("production", purpose, Checks(), SETTLE_SECONDS, opening=opening)


def ours(url: str) -> Ours:
    return Ours(named(url, "shop"), QUERIES, SINCE)


def opened(url: str, size: int) -> None:
    look = Quality(named(url, "ledger"), lambda: NOW)
    look.look(scope("baseline", None), ours(url), readings(size))


def by_tradewind(url: str, size: int) -> None:
    """A look, with all that it remembers, and a verdict by Great Expectations."""
    quality = Quality(named(url, "ledger"), lambda: NOW)
    seen = quality.look(scope("first", 1), ours(url), readings(size))
    judged = quality.judge("production", seen.id - 1, seen.id, seen.id, 100_000)
    assert not judged.problem, judged.problem


def by_plain_sql(url: str, size: int) -> None:
    with landed_in(url, size) as schema, schema.connection() as connection:
        values = {"settled": NOW - timedelta(seconds=SETTLE_SECONDS), "opening": 1}
        for query in plain.QUERIES.values():
            connection.execute(query.encode(), values).fetchall()


@contextmanager
def landed_in(url: str, size: int) -> Iterator[Schema]:
    """The rows of all channels, as a look lands them."""
    with Schema(Ledger(named(url, "ledger"))).opened() as schema:
        landed(schema, scope("first", 1), ours(url), readings(size), lambda: NOW)
        with schema.connection() as connection:
            connection.execute(b"ANALYZE")
        yield schema


STOCK_JOINED = """
SELECT channel, sku, o.quantity AS ours, t.quantity AS theirs
FROM {schema}.our_stock o JOIN {schema}.their_stock t USING (channel, sku)
"""
ORDERS_JOINED = """
SELECT channel, order_id, o.currency, o.total, t.currency AS their_currency, t.total AS their_total,
       t.created_at, o.placed_at, o.order_id IS NOT NULL AS here, t.order_id IS NOT NULL AS there
FROM {schema}.our_orders o FULL JOIN {schema}.their_orders t USING (channel, order_id)
"""
EXPECTED = {
    STOCK_JOINED: ("ours <> theirs", "ours < 0 OR theirs < 0", "ours = 0 AND theirs > 0",
                   "ours > 0 AND theirs = 0"),
    ORDERS_JOINED: ("NOT here", "NOT there", "currency <> their_currency",
                    "abs(total - their_total) > 0.005",
                    "abs(extract(epoch FROM placed_at - created_at)) > 450"),
}  # fmt: skip


def by_expectations(url: str, size: int) -> None:
    """As most people would write it: a query as the asset, and expectations on it."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx
    from great_expectations.expectations.core import UnexpectedRowsExpectation

    with landed_in(url, size) as schema:
        context = gx.get_context(mode="ephemeral")
        source = context.data_sources.add_sql(
            "ledger", connection_string=sqlalchemy_url(named(url, "ledger"))
        )
        for number, (query, expected) in enumerate(EXPECTED.items()):
            asset = source.add_query_asset(f"asset {number}", query.format(schema=schema.name))
            batch = asset.add_batch_definition_whole_table("whole").get_batch()
            for unexpected in expected:
                batch.validate(
                    UnexpectedRowsExpectation(
                        unexpected_rows_query=f"SELECT * FROM {{batch}} WHERE {unexpected}"
                    )
                )


def measured(act: Callable[[], object]) -> Measured:
    """Seconds, and the most resident bytes of this process and all that it starts."""
    over, most = threading.Event(), 0

    def sample() -> None:
        nonlocal most
        while not over.wait(SAMPLE_SECONDS):
            most = max(most, resident())

    sampler = threading.Thread(target=sample)
    sampler.start()
    began = time.monotonic()
    act()
    seconds = time.monotonic() - began
    over.set()
    sampler.join()
    return {"seconds": seconds, "bytes": most}


def resident() -> int:
    total = 0
    for process in (psutil.Process(), *psutil.Process().children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            total += process.memory_info().rss
    return total


WAYS = {"tradewind": "Tradewind", "plain": "plain SQL", "gx": "Great Expectations, as usual"}
ACTS = {
    "opening": opened, "tradewind": by_tradewind, "plain": by_plain_sql, "gx": by_expectations,
}  # fmt: skip


if __name__ == "__main__":
    url, way, size = sys.argv[1:]
    print(json.dumps(measured(lambda: ACTS[way](url, int(size)))))
