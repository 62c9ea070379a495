"""Looks in the ledger: their numbers, the stock they opened with, and how long they are kept."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from psycopg.types.json import Jsonb
from pydantic import TypeAdapter

from blocks.quality.comparison import Comparison
from blocks.quality.database import Ledger
from blocks.quality.episodes import remember
from blocks.quality.measures import parts
from blocks.quality.scope import Scope
from blocks.quality.shop import Ours
from domain.checks.looks import Look, Part
from domain.errors import BadInput

PARTS = TypeAdapter(dict[str, Part])
ALONE = "SELECT pg_advisory_xact_lock(hashtext('tradewind looks'), hashtext(%(environment)s))"
"""Two looks at an environment write what they found one after the other."""

INSERT = """
INSERT INTO looks (environment, deployment, purpose, at, since, parts)
VALUES (%(environment)s, %(deployment)s, %(purpose)s, %(at)s, %(since)s, %(parts)s) RETURNING id
"""
OPENING = """
INSERT INTO openings (look, channel, sku, quantity, sold, sold_anywhere, restocked, moved)
SELECT %(look)s, channel, key, quantity, sold, sold_anywhere, restocked, moved
FROM stock WHERE here
"""
HISTORY = """
SELECT id, at, parts FROM looks WHERE environment = %(environment)s
AND (%(before)s::bigint IS NULL OR id < %(before)s)
ORDER BY id DESC LIMIT %(count)s
"""
PRUNE = (
    """DELETE FROM openings WHERE look IN (
       SELECT l.id FROM looks l JOIN deployments d ON d.id = l.deployment
       WHERE l.environment = %(environment)s
       AND d.state IN ('done', 'rolled back', 'halted', 'refused'))""",
    """DELETE FROM openings WHERE look IN (
       SELECT id FROM looks WHERE environment = %(environment)s
       AND at < %(at)s - interval '7 days')""",
    "DELETE FROM looks WHERE environment = %(environment)s AND at < %(at)s - interval '90 days'",
    """DELETE FROM divergences WHERE environment = %(environment)s
       AND last_seen < %(at)s - interval '90 days'""",
)
"""An opening serves its deployment; nothing is kept that nobody saw for 90 days."""


def refuse_another_since(ledger: Ledger, scope: Scope, ours: Ours) -> None:
    """Changes since the opening are told by sums over the same orders and movements."""
    if scope.opening is None:
        return
    found = ledger.rows("SELECT since FROM looks WHERE id = %(id)s", {"id": scope.opening})
    if not found:
        raise BadInput(f"opening: there is no look {scope.opening}")
    if found[0]["since"] != ours.since:
        raise BadInput(
            f"since: look {scope.opening}, the opening, was read since"
            f" {found[0]['since'].isoformat()}, not since {ours.since.isoformat()}"
        )


def look(comparison: Comparison) -> Look:
    """Writes down one comparison: its numbers, its violations, its stock if it is a baseline."""
    found, scope = parts(comparison), comparison.scope
    comparison.rows(ALONE, environment=scope.environment)
    row = comparison.rows(
        INSERT, environment=scope.environment, deployment=scope.deployment, purpose=scope.purpose,
        parts=Jsonb({channel: asdict(part) for channel, part in found.items()}),
    )[0]  # fmt: skip
    remember(comparison, row["id"])
    if scope.purpose == "baseline":
        comparison.execute(OPENING, look=row["id"])
    for statement in PRUNE:
        comparison.execute(statement, environment=scope.environment)
    return Look(row["id"], comparison.mine.at, found)


def history(ledger: Ledger, environment: str, before: int | None, count: int) -> tuple[Look, ...]:
    """See ``Quality.history``."""
    values = {"environment": environment, "before": before, "count": count}
    return tuple(read(row) for row in reversed(ledger.rows(HISTORY, values)))


def read(row: Mapping[str, Any]) -> Look:
    return Look(row["id"], row["at"], PARTS.validate_python(row["parts"]))
