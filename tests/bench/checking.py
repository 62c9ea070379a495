"""A child process of the benchmark of checks: one way to check a shop's stock and orders, measured.

``python -m tests.bench.checking URL WAY ROWS`` prints seconds, the most resident bytes, and per
check how many violations were found.
"""

import json
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial

import psutil

from blocks.channels.reading import Reading, Tally
from blocks.database import named
from blocks.ledger.migrate import sqlalchemy_url
from blocks.quality import Ours, Quality, Scope
from blocks.quality.database import Ledger, Schema
from blocks.quality.landing import landed
from blocks.quality.scope import Purpose
from domain.channel import Line, Order, StockRow
from domain.checks.looks import Look
from domain.checks.settings import Checks
from tests.bench import plain

CHANNELS = tuple(f"channel-{number}" for number in range(5))
SKUS_PER_ORDER = 10
OPENING = 1
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SINCE = NOW - timedelta(hours=24)
SETTLE_SECONDS = 900.0
SAMPLE_SECONDS = 0.05

QUERIES = {
    "stock": "SELECT * FROM stock WHERE channel = %(channel)s",
    "orders": "SELECT * FROM orders WHERE channel = %(channel)s AND placed_at >= %(since)s",
    "lines": "SELECT * FROM lines WHERE channel = %(channel)s",
    "movements": "SELECT * FROM movements WHERE channel = %(channel)s AND at >= %(since)s",
}

Found = Mapping[str, int]


def readings(size: int) -> dict[str, tuple[Reading[StockRow], Reading[Order]]]:
    """Row by row, as a client has them; nothing is kept."""
    skus = size // len(CHANNELS)
    return {
        channel: (
            Reading(partial(stock, skus), lambda: NOW),
            Reading(partial(orders, channel, skus), lambda: NOW),
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


def scope(purpose: Purpose, opening: int | None) -> Scope:
    return Scope("production", purpose, Checks(), SETTLE_SECONDS, opening=opening)


def ours(url: str) -> Ours:
    return Ours(named(url, "shop"), QUERIES, SINCE)


def opened(url: str, size: int) -> Found:
    """The look that stock changes are counted from."""
    quality = Quality(named(url, "ledger"), lambda: NOW)
    return {"look": quality.look(scope("baseline", None), ours(url), readings(size)).id}


def by_look(url: str, size: int) -> Found:
    """A look, with all that it remembers."""
    return violating(looked(url, size))


def by_tradewind(url: str, size: int) -> Found:
    """A look, and the verdict on what is new, by Great Expectations in a child process."""
    seen = looked(url, size)
    quality = Quality(named(url, "ledger"), lambda: NOW)
    judged = quality.judge("production", OPENING - 1, seen.id, seen.id, 100_000)
    assert not judged.problem, judged.problem
    return violating(seen)


def looked(url: str, size: int) -> Look:
    quality = Quality(named(url, "ledger"), lambda: NOW)
    return quality.look(scope("first", OPENING), ours(url), readings(size))


def violating(look: Look) -> Found:
    """Per check, over all channels."""
    found = Counter[str]()
    for part in look.parts.values():
        assert not part.unknown, part.unknown
        found.update(part.violating)
    return found


def by_plain_sql(url: str, size: int) -> Found:
    values = {"settled": NOW - timedelta(seconds=SETTLE_SECONDS), "opening": OPENING}
    with landed_in(url, size) as schema, schema.connection() as connection:
        return {
            check: len(connection.execute(query.encode(), values).fetchall())
            for check, query in plain.QUERIES.items()
        }


@contextmanager
def landed_in(url: str, size: int) -> Iterator[Schema]:
    """The rows of all channels, as a look lands them."""
    with Schema(Ledger(named(url, "ledger"))).opened() as schema:
        landed(schema, scope("first", OPENING), ours(url), readings(size), lambda: NOW)
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


def by_expectations(url: str, size: int) -> Found:
    """As most people would write it: a query as the asset, and expectations on it."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx
    from great_expectations.expectations.core import UnexpectedRowsExpectation

    found = {}
    with landed_in(url, size) as schema:
        context = gx.get_context(mode="ephemeral")
        source = context.data_sources.add_sql(
            "ledger", connection_string=sqlalchemy_url(named(url, "ledger"))
        )
        for number, (query, expected) in enumerate(EXPECTED.items()):
            asset = source.add_query_asset(f"asset {number}", query.format(schema=schema.name))
            batch = asset.add_batch_definition_whole_table("whole").get_batch()
            for unexpected in expected:
                rows = f"SELECT * FROM {{batch}} WHERE {unexpected}"
                result = batch.validate(UnexpectedRowsExpectation(unexpected_rows_query=rows))
                found[unexpected] = int(result.result["observed_value"])
    return found


def measured(act: Callable[[], Found]) -> dict[str, object]:
    """Seconds, and the most resident bytes of this process and all that it starts."""
    over, most = threading.Event(), 0

    def sample() -> None:
        nonlocal most
        while not over.wait(SAMPLE_SECONDS):
            most = max(most, resident())

    sampler = threading.Thread(target=sample)
    sampler.start()
    began = time.monotonic()
    found = act()
    seconds = time.monotonic() - began
    over.set()
    sampler.join()
    return {"seconds": seconds, "bytes": most, "found": found}


def resident() -> int:
    total = 0
    for process in (psutil.Process(), *psutil.Process().children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            total += process.memory_info().rss
    return total


ACTS: dict[str, Callable[[str, int], Found]] = {
    "opening": opened,
    "look": by_look,
    "tradewind": by_tradewind,
    "plain": by_plain_sql,
    "gx": by_expectations,
}


if __name__ == "__main__":
    url, way, size = sys.argv[1:]
    print(json.dumps(measured(lambda: ACTS[way](url, int(size)))))
