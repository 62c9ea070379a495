"""The full check of stock and orders: by Tradewind, by plain SQL, and by Great Expectations.

All three land the same rows by the same code; every way runs in a process of its own.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from blocks.ledger.migrate import upgrade
from deployments.stack.postgres import Postgres
from domain.checks.catalogue import BY_ID
from tests.bench.checking import CHANNELS, SKUS_PER_ORDER
from tests.bench.results import Result, ratios, spread

SIZES = (100_000, 1_000_000)
LARGE = int(os.environ.get("TRADEWIND_BENCH_CHECKS_ROWS", "0"))
"""One more size, beyond what ``make bench`` has time for: 10 000 000."""

ROUNDS = {100_000: 3, 1_000_000: 3}
GX_MOST_ROWS = 1_000_000
MIB = 1 << 20
LIMIT_SECONDS = 3600
WAYS = {
    "look": "a look",
    "tradewind": "a look and the verdict",
    "plain": "plain SQL",
    "gx": "Great Expectations on a query",
}
NUMBERS = ("LAG-01",)
"""Answered by plain SQL with a number per channel, not with rows that are wrong."""

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
UPDATE orders SET total = total + 1 WHERE order_id LIKE '%-%777';
DELETE FROM lines WHERE order_id LIKE '%-%888';
DELETE FROM orders WHERE order_id LIKE '%-%999';
ANALYZE;
"""
"""One SKU of ten thousand drifts; of a thousand orders a price, the lines, or all is wrong."""

COLUMNS = ("rows of stock", "way", "seconds", "against plain SQL", "peak memory, MiB")

Measured = dict[str, Any]


def checks() -> Result:
    """Round by round, so that what slows the machine slows every way."""
    raw = {size: measured(size) for size in (*SIZES, *([LARGE] if LARGE else []))}
    rows = (row for size, found in raw.items() for row in shown(size, found))
    return Result("The full check of five channels", COLUMNS, tuple(rows), {"sizes": raw})


def measured(size: int) -> dict[str, list[Measured]]:
    """By way. All have to find the same, or they did not do the same."""
    found: dict[str, list[Measured]] = {
        way: [] for way in WAYS if way != "gx" or size <= GX_MOST_ROWS
    }
    with shop(size) as url:
        for _ in range(ROUNDS.get(size, 1)):
            for way, some in found.items():
                some.append(in_a_process(url, way, size))
            alike(found["tradewind"][-1]["found"], found["plain"][-1]["found"])
    return found


def alike(ours: Mapping[str, int], plainly: Mapping[str, int]) -> None:
    for check, count in plainly.items():
        if check in BY_ID and check not in NUMBERS:
            assert ours.get(check, 0) == count, f"{check}: {ours.get(check, 0)} against {count}"


def shown(size: int, found: Mapping[str, list[Measured]]) -> Iterator[tuple[str, ...]]:
    seconds = {way: [one["seconds"] for one in some] for way, some in found.items()}
    for way, some in found.items():
        yield (
            f"{size:,}", WAYS[way], spread(seconds[way], 1),
            spread(ratios(seconds[way], seconds["plain"])),
            spread([one["bytes"] / MIB for one in some], 0),
        )  # fmt: skip


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
        [sys.executable, "-m", "tests.bench.checking", url, way, str(size)],
        stdout=subprocess.PIPE, text=True, timeout=LIMIT_SECONDS, check=True,
    )  # fmt: skip
    found: Measured = json.loads(ran.stdout.splitlines()[-1])
    return found
