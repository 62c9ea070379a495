"""The ledger at a glance: what serves, what moved lately, what waits, at one moment."""

import psycopg
from psycopg.rows import DictRow

from blocks.ledger.store import Row, Store
from domain.dashboard.facts import Facts, Running, Waiting
from domain.journal import FINAL, Approval, Deployment, Release

MOST_DEPLOYMENTS, MOST_RELEASES = 2000, 500
"""More than these make no picture any more; the audit has them all."""

ASKED = "awaiting approval"
"""A deployment that was refused for another reason leaves its approval behind, open for nobody."""

NOW = "SELECT clock_timestamp() AS now"
RUNNING = """
SELECT s.environment, s.service, s.version, s.digest, coalesce(d.finished_at, d.created_at) AS since
FROM serving s JOIN deployments d ON d.id = s.deployment ORDER BY s.environment, s.service
"""
DEPLOYMENTS = """
SELECT id, version, environment, kind, flow_run, requested_by, state, reason, epoch,
       '{}'::jsonb AS previous, created_at, finished_at
FROM deployments
WHERE created_at > clock_timestamp() - make_interval(days => %s) OR state <> ALL(%s)
   OR id IN (SELECT max(id) FROM deployments GROUP BY environment)
ORDER BY id DESC LIMIT %s
"""
RELEASES = """
SELECT version, flow_run, ref, commit, requested_by, reason, services, route, state, outcome,
       committed_at, created_at, finished_at
FROM releases
WHERE created_at > clock_timestamp() - make_interval(days => %s) OR finished_at IS NULL
ORDER BY created_at DESC LIMIT %s
"""
DIVERGED = """
SELECT environment, count(*) AS rows FROM divergences WHERE gone_at IS NULL GROUP BY environment
"""
SUSPECTED = """
SELECT DISTINCT environment, suspected FROM divergences WHERE gone_at IS NULL AND suspected <> ''
"""
WAITING = """
SELECT * FROM approvals
WHERE decision = 'waiting' AND expires_at > clock_timestamp() ORDER BY expires_at, id
"""


class Overview:
    """Reads, and never more than a page shows."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def lately(self, days: int) -> Facts:
        """Of the last ``days``, and everything that has not ended."""
        with self._store.connection() as connection:
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            return _facts(connection, days)


def _facts(connection: psycopg.Connection[DictRow], days: int) -> Facts:
    def rows(query: str, *values: object) -> list[Row]:
        return connection.execute(query, values).fetchall()

    moves = rows(DEPLOYMENTS, days, list(FINAL), MOST_DEPLOYMENTS)
    deployments = {row["id"]: Deployment(**row) for row in moves}
    approvals = [Approval(**row) for row in rows(WAITING)]
    return Facts(
        rows(NOW)[0]["now"],
        tuple(Running(**row) for row in rows(RUNNING)),
        tuple(deployments.values()),
        tuple(_release(row) for row in rows(RELEASES, days, MOST_RELEASES)),
        tuple(
            Waiting(one, row)
            for one in approvals
            if (row := deployments.get(one.deployment)) and row.state == ASKED
        ),
        {row["environment"]: row["rows"] for row in rows(DIVERGED)},
        frozenset((row["environment"], row["suspected"]) for row in rows(SUSPECTED)),
    )


def _release(row: Row) -> Release:
    return Release(**{**row, "services": tuple(row["services"]), "route": tuple(row["route"])})
