"""The ledger over a period, for figures: what moved, how long steps took, what was kept."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import psycopg
from psycopg.rows import DictRow

from blocks.ledger.store import Row, Store
from blocks.ledger.totals import totals
from domain.figures.facts import History, Kept, Moved, Timed, Waited
from domain.figures.totals import Totals

MOST_DEPLOYMENTS = 5000
"""More than these in a period are not read at once: the newest are."""
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)

MOVED = """
WITH suspect AS (
    SELECT environment, suspected, count(*)::int AS rows FROM divergences
    WHERE gone_at IS NULL AND suspected <> '' GROUP BY environment, suspected
)
SELECT d.id, d.version, d.environment, d.kind, d.state, d.previous, d.created_at, d.finished_at,
       r.committed_at, coalesce(r.manifest -> 'parts', '[]') AS parts,
       h.version IS NOT NULL AS hotfix, coalesce(x.rows, 0) AS suspected,
       (SELECT min(s.started_at) FROM steps s
        WHERE s.scope = 'deployment:' || d.id AND s.name ~ '^(route|hand over|migrate)'
       ) AS exposed_at
FROM deployments d JOIN releases r USING (version) LEFT JOIN hotfixes h USING (version)
LEFT JOIN suspect x ON x.environment = d.environment AND x.suspected = d.version
"""
ENDED_THEN = """
WHERE d.flow_run NOT IN (SELECT flow_run FROM drills) AND d.created_at < %(until)s
  AND (d.finished_at IS NULL OR d.finished_at >= %(since)s AND d.finished_at < %(until)s)
ORDER BY d.id DESC LIMIT %(most)s
"""
OF_RELEASE = "WHERE d.version = %(version)s ORDER BY d.id DESC LIMIT %(most)s"
BUILT = """
SELECT version, coalesce(manifest -> 'parts', '[]') AS parts FROM releases
WHERE version = ANY(%s) OR created_at >= %s AND created_at < %s
ORDER BY created_at DESC LIMIT %s
"""
STEPS = """
SELECT scope, name, started_at, finished_at,
       CASE WHEN name ~ '^build ' THEN (outcome ->> 'size')::bigint END AS size,
       coalesce(outcome ->> 'decision', outcome ->> 'verdict', '') AS verdict,
       coalesce(outcome ->> 'reference', '') <> '' AS registry,
       CASE WHEN name = 'back up' AND outcome ? 'files' THEN
           (SELECT sum((f.value ->> 0)::bigint)::bigint FROM jsonb_each(outcome -> 'files') f)
       END AS backup
FROM steps WHERE scope = ANY(%s) AND finished_at IS NOT NULL ORDER BY started_at, name
"""
CHECKS = """
SELECT s.scope, o.value ->> 'check' AS name, o.value ->> 'result' AS result, count(*)::int AS times
FROM steps s, jsonb_array_elements(
    CASE WHEN jsonb_typeof(s.outcome -> 'outcomes') = 'array' THEN s.outcome -> 'outcomes'
    ELSE '[]' END) o
WHERE s.scope = ANY(%s) AND o.value ? 'check' GROUP BY 1, 2, 3
"""
WAITED = """
SELECT d.environment, a.decision, a.decided_at,
       (SELECT u.at::timestamptz FROM audit u WHERE u."row" = 'approvals ' || a.id
        ORDER BY u.id LIMIT 1) AS asked_at
FROM approvals a JOIN deployments d ON d.id = a.deployment WHERE d.id = ANY(%s) ORDER BY a.id
"""
DIVERGED = """
SELECT environment, channel, count(*)::int AS rows FROM divergences
WHERE gone_at IS NULL GROUP BY environment, channel
"""

Connection = psycopg.Connection[DictRow]
Scopes = Mapping[str, tuple[str, str]]
"""A journal's scope, with the version and the environment that it is of."""


class Past:
    """Reads only, each answer of one moment; what was only rehearsed in a drill is left out."""

    def __init__(self, store: Store, most_deployments: int = MOST_DEPLOYMENTS) -> None:
        self._store = store
        self._most = most_deployments

    def between(self, since: datetime, until: datetime) -> History:
        """Deployments that ended then or have not ended, and what their releases took."""
        values = {"since": since, "until": until, "most": self._most + 1}
        with self._store.connection() as connection:
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            found = connection.execute(MOVED + ENDED_THEN, values).fetchall()
            rows = found[: self._most]
            asked = ([row["version"] for row in rows], since, until, self._most)
            built = connection.execute(BUILT, asked).fetchall()
            history = _history(connection, (since, until), rows, built)
            return replace(history, whole=rows == found)

    def moved(self, since: datetime, until: datetime) -> tuple[Moved, ...]:
        """The deployments of ``between`` alone, which monitoring asks for every minute."""
        values = {"since": since, "until": until, "most": self._most}
        with self._store.connection() as connection:
            rows = connection.execute(MOVED + ENDED_THEN, values).fetchall()
        return tuple(_moved(row) for row in rows[::-1])

    def of_release(self, version: str, until: datetime) -> History:
        """Everything of one release up to ``until``, also where it was deployed nowhere."""
        with self._store.connection() as connection:
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            values = {"version": version, "most": self._most}
            rows = connection.execute(MOVED + OF_RELEASE, values).fetchall()
            built = connection.execute(BUILT, ([version], until, until, 1)).fetchall()
            return _history(connection, (BEGINNING, until), rows, built)

    def totals(self, lead: tuple[float, ...], recovery: tuple[float, ...]) -> Totals:
        """Of all time; the buckets' bounds in seconds."""
        return totals(self._store, lead, recovery)

    def diverged(self) -> dict[tuple[str, str], int]:
        """By environment and channel, how many SKUs and orders differ now."""
        return {(row["environment"], row["channel"]): row["rows"]
                for row in self._store.rows(DIVERGED)}  # fmt: skip


def _history(
    connection: Connection, period: tuple[datetime, datetime], found: list[Row], built: list[Row]
) -> History:
    """Of deployments as they were ``found``: the newest first."""
    rows = found[::-1]
    scopes, numbers = _scopes(rows, built), [row["id"] for row in rows]
    steps = connection.execute(STEPS, [list(scopes)]).fetchall()
    checks = connection.execute(CHECKS, [list(scopes)]).fetchall()
    first = {(row["version"], part["service"]): part["version"] == row["version"]
             for row in built for part in row["parts"]}  # fmt: skip
    return History(
        *period,
        tuple(_moved(row) for row in rows),
        tuple(_timed(step, scopes) for step in steps),
        tuple(Waited(**row) for row in connection.execute(WAITED, [numbers]) if row["asked_at"]),
        tuple(one for step in steps for one in _kept(step, scopes, first)),
        _counted(checks, scopes),
    )


def _scopes(rows: Sequence[Row], built: Sequence[Row]) -> Scopes:
    found = {f"release:{row['version']}": (row["version"], "") for row in built}
    for row in rows:
        for kind in ("deployment", "make good"):
            found[f"{kind}:{row['id']}"] = (row["version"], row["environment"])
    return found


def _moved(row: Row) -> Moved:
    before, parts = row["previous"], row["parts"]
    changes = {
        part["service"]: (before.get(part["service"], {}).get("version", ""), part["version"])
        for part in parts
        if before.get(part["service"], {}).get("digest") != part["digest"]
    }
    fields = {name: row[name] for name in row if name not in ("previous", "parts")}
    return Moved(**fields, changes=changes)


def _timed(step: Row, scopes: Scopes) -> Timed:
    seconds = (step["finished_at"] - step["started_at"]).total_seconds()
    return Timed(step["scope"], *scopes[step["scope"]], step["name"], seconds, step["verdict"])


def _counted(checks: Sequence[Row], scopes: Scopes) -> Counter[tuple[str, str, str]]:
    found: Counter[tuple[str, str, str]] = Counter()
    for row in checks:
        found[(scopes[row["scope"]][1], row["name"], row["result"])] += row["times"]
    return found


def _kept(step: Row, scopes: Scopes, first: Mapping[tuple[str, str], bool]) -> tuple[Kept, ...]:
    """A backup, or an artifact that no earlier release had left already."""
    version, _ = scopes[step["scope"]]
    if step["backup"] is not None:
        return (Kept(version, "backup", step["backup"], step["finished_at"]),)
    service = step["name"].removeprefix("build ")
    if step["size"] is None or not first.get((version, service), True):
        return ()
    return (Kept(version, "artifact", step["size"], step["finished_at"], step["registry"]),)
