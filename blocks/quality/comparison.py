"""A comparison of what was landed: both sides joined once, every rule over them, what is wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psycopg

from blocks.quality.landing import Answer, Mine
from blocks.quality.rules import Rule, made
from blocks.quality.scope import Scope
from blocks.quality.tables import BY_SKU, ORDER_FACTS, POOL_FACTS, STOCK_FACTS, WRONG
from blocks.quality.validity import problems
from domain.checks.catalogue import ALL

BY_ORDERS = ("order%", "sale%")
BY_CANCELLATIONS = ("cancel%",)
"""Reasons of movements that orders explain; the second where they say that they are cancelled."""

LANDED = ("our_stock", "our_orders", "our_lines", "our_movements", "our_pushes", "our_events",
          "their_stock", "their_orders", "their_lines")  # fmt: skip
VIOLATIONS = """
CREATE UNLOGGED TABLE violations (
    channel text, check_id text, key text, ours text, theirs text, detail text, top boolean
)
"""

Counts = Mapping[str, Mapping[str, tuple[int, int]]]


@dataclass(frozen=True)
class Comparison:
    """Tables ``orders``, ``stock`` and ``pools`` with a column per rule, and ``violations``.

    ``counts`` are per channel and check the keys compared and violating, ``unknown`` is per channel
    (and ``ALL``) why there are none. ``values`` are the statements' parameters.
    """

    connection: psycopg.Connection[Any]
    scope: Scope
    mine: Mine
    answers: Mapping[str, Answer]
    rules: Mapping[str, tuple[Rule, ...]]
    values: Mapping[str, object]
    unknown: Mapping[str, str]
    counts: Counts

    def execute(self, query: str, **more: object) -> "psycopg.Cursor[Any]":
        """With the statements' parameters and ``more`` of them."""
        return self.connection.execute(query.encode(), {**self.values, **more})

    def rows(self, query: str, **more: object) -> list[dict[str, Any]]:
        return self.execute(query, **more).fetchall()


def compared(
    connection: psycopg.Connection[Any], scope: Scope, mine: Mine, answers: Mapping[str, Answer]
) -> Comparison:
    """Compares every channel whose answers are whole."""
    unknown = problems(connection, answers, mine.at, scope.settle_seconds)
    known = [channel for channel, problem in unknown.items() if not problem]
    values = _values(scope, mine, known)
    rules = made(_there(scope, mine))
    for table in LANDED:
        connection.execute(f"ANALYZE {table}".encode())
    _create(connection, "orders", ORDER_FACTS, rules, values)
    for table, query in BY_SKU.items():
        _create(connection, table, query, rules, values)
    _create(connection, "stock", STOCK_FACTS, rules, values)
    _create(connection, "pools", POOL_FACTS, rules, values)
    _collect(connection, rules, values)
    unknown = {**unknown, ALL: _pools_unknown(connection, scope, answers, unknown)}
    counts = _counts(connection, rules, known)
    return Comparison(connection, scope, mine, answers, rules, values, unknown, counts)


def _there(scope: Scope, mine: Mine) -> frozenset[str]:
    opening = {"opening"} if scope.opening is not None else set()
    return frozenset(opening.union(*mine.columns.values()))


def _values(scope: Scope, mine: Mine, known: Sequence[str]) -> dict[str, object]:
    checks, there = scope.checks, _there(scope, mine)
    tell_cancelled = there & {"orders.cancelled", "orders.status"}

    def before(seconds: float) -> object:
        return mine.at - timedelta(seconds=seconds)

    return {
        "at": mine.at, "since": mine.since, "known": list(known), "all": ALL,
        "settled": before(scope.settle_seconds), "imported": before(scope.import_seconds),
        "pushed": before(max(checks.push_seconds, scope.settle_seconds)),
        "shipped": before(max(checks.ship_seconds, scope.settle_seconds)),
        "units": checks.stock_tolerance_units, "share": checks.stock_tolerance_share,
        "top": checks.top_skus, "opening": scope.opening, "pushes": "pushes" in there,
        "sampled": [channel for channel, skus in scope.asked.items() if skus],
        "by_orders": [*BY_ORDERS, *(BY_CANCELLATIONS if tell_cancelled else ())],
    }  # fmt: skip


def _create(
    connection: psycopg.Connection[Any],
    table: str,
    facts: str,
    rules: Mapping[str, tuple[Rule, ...]],
    values: Mapping[str, object],
) -> None:
    answers = "".join(f",\n{rule.violated} AS {rule.column}" for rule in rules.get(table, ()))
    query = f"CREATE UNLOGGED TABLE {table} AS SELECT f.*{answers} FROM ({facts}) f"
    connection.execute(query.encode(), values)
    connection.execute(f"ANALYZE {table}".encode())


def _collect(
    connection: psycopg.Connection[Any],
    rules: Mapping[str, tuple[Rule, ...]],
    values: Mapping[str, object],
) -> None:
    """The violating rows of every rule, in one table."""
    connection.execute(VIOLATIONS.encode())
    for table, some in rules.items():
        if not some:
            continue
        wrong = " OR ".join(rule.column for rule in some)
        query = f"CREATE UNLOGGED TABLE wrong_{table} AS {WRONG[table].format(wrong=wrong)}"
        connection.execute(query.encode(), values)
        shown = " UNION ALL ".join(
            f"SELECT channel, '{rule.check}', key, ({rule.ours})::text, ({rule.theirs})::text,"
            f" {rule.detail}, top FROM wrong_{table} WHERE {rule.column}"
            for rule in some
        )
        connection.execute(f"INSERT INTO violations {shown}".encode(), values)


def _counts(
    connection: psycopg.Connection[Any],
    rules: Mapping[str, tuple[Rule, ...]],
    known: Sequence[str],
) -> Counts:
    """Per channel and check (compared, violating); one pass over each table."""
    counts: dict[str, dict[str, tuple[int, int]]] = {}
    for table, some in rules.items():
        channels = (ALL,) if table == "pools" else known
        for channel in channels:
            counts.setdefault(channel, {}).update({rule.check: (0, 0) for rule in some})
        numbers = "".join(
            f", count({rule.column}) AS {rule.column}"
            f", count(*) FILTER (WHERE {rule.column}) AS {rule.column}_bad"
            for rule in some
        )
        query = f"SELECT channel{numbers} FROM {table} GROUP BY channel"
        for row in connection.execute(query.encode()).fetchall():
            counts[row["channel"]].update(
                {one.check: (row[one.column], row[f"{one.column}_bad"]) for one in some}
            )
    return counts


def _pools_unknown(
    connection: psycopg.Connection[Any],
    scope: Scope,
    answers: Mapping[str, Answer],
    unknown: Mapping[str, str],
) -> str:
    """Why pools cannot be judged: a channel that shares one is unknown, or their times differ."""
    found = connection.execute(
        b"SELECT DISTINCT channel FROM our_stock WHERE pool IS NOT NULL ORDER BY channel"
    ).fetchall()
    sharing = [row["channel"] for row in found]
    reasons = [f"{one}: {unknown[one]}" for one in sharing if unknown[one]]
    ends = [fetch.ended_at for one in sharing if (fetch := answers[one].stock) is not None]
    apart = (max(ends) - min(ends)).total_seconds() if ends else 0
    if apart > scope.settle_seconds:
        reasons.append(f"stock was read {apart:.0f} s apart, {scope.settle_seconds:.0f} s allowed")
    return "; ".join(reasons)
