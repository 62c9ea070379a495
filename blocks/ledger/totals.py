"""The ledger counted as a whole, for monitoring: numbers that only grow, in a few queries."""

import psycopg
from psycopg.rows import DictRow

from blocks.ledger.store import Store
from domain.figures.totals import Drilled, Ended, Histogram, Totals

ENDED = """
SELECT environment, kind, state, count(*)::int AS times
FROM deployments GROUP BY environment, kind, state ORDER BY environment, kind, state
"""
LEAD = """
WITH v AS (
    SELECT d.environment, min(extract(epoch FROM d.finished_at - r.committed_at)) AS seconds
    FROM deployments d JOIN releases r USING (version)
    WHERE d.state = 'done' AND d.kind = 'release' GROUP BY d.environment, d.version
)
"""
RECOVERY = """
WITH v AS (
    SELECT d.environment, extract(epoch FROM d.finished_at - min(s.started_at)) AS seconds
    FROM deployments d JOIN steps s ON s.scope = 'deployment:' || d.id
    WHERE d.state = 'rolled back' AND s.name ~ '^(route|hand over|migrate)' GROUP BY d.id
)
"""
IN_BUCKETS = """
SELECT environment, array_agg(below ORDER BY bound) AS below, max(times) AS times,
       max(total)::float8 AS seconds
FROM (
    SELECT environment, bound, count(*)::int AS times, sum(greatest(seconds, 0)) AS total,
           (count(*) FILTER (WHERE seconds <= bound))::int AS below
    FROM v CROSS JOIN unnest(%s::float8[]) AS bound GROUP BY environment, bound
) counted GROUP BY environment ORDER BY environment
"""

DRILLED = """
SELECT environment, kind, max(finished_at) AS passed_at FROM drills
WHERE result = 'passed' GROUP BY environment, kind ORDER BY environment, kind
"""


def totals(store: Store, lead: tuple[float, ...], recovery: tuple[float, ...]) -> Totals:
    """Of all time; ``lead`` and ``recovery`` are the buckets' bounds in seconds, rising."""
    with store.connection() as connection:
        return Totals(
            tuple(Ended(**row) for row in connection.execute(ENDED)),
            _histograms(connection, LEAD, lead),
            _histograms(connection, RECOVERY, recovery),
            tuple(Drilled(**row) for row in connection.execute(DRILLED)),
        )


def _histograms(
    connection: psycopg.Connection[DictRow], values: str, bounds: tuple[float, ...]
) -> tuple[Histogram, ...]:
    return tuple(
        Histogram(row["environment"], bounds, (*row["below"], row["times"]), row["seconds"])
        for row in connection.execute(values + IN_BUCKETS, [list(bounds)])
    )
