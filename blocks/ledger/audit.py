"""The audit as it is read: found by what it speaks of, streamed to its end, and verified."""

from collections.abc import Iterable, Iterator
from typing import Any

from psycopg import sql

from blocks.ledger.store import KEYS, Row, Store, content_digest, row_name
from domain.audit import Entry, Head, Wanted, breaks, unlike

CHUNK = 5000
SPOKEN = r"""
WITH named AS (
    SELECT *, split_part("row", ' ', 1) AS kind, substr("row", strpos("row", ' ') + 1) AS key
      FROM audit
), placed AS (
    SELECT named.*, CASE kind
        WHEN 'deployments' THEN key
        WHEN 'steps' THEN substring(key FROM '^(?:deployment|make good):(\d+) / ')
        WHEN 'approvals' THEN (SELECT deployment::text FROM approvals WHERE id = key::bigint)
        WHEN 'statements' THEN (SELECT deployment::text FROM approvals
                                 WHERE id = split_part(key, ' / ', 1)::bigint)
        END AS deployment
      FROM named
)
SELECT p.id, p.at, p.actor, p.action, p."row", p.content, coalesce(d.version, CASE p.kind
           WHEN 'releases' THEN p.key
           WHEN 'steps' THEN substring(p.key FROM '^release:(\S+) / ')
           WHEN 'leases' THEN substring(p.key FROM '^release (\S+)$')
           END, '') AS version,
       coalesce(d.environment, CASE
           WHEN p.kind IN ('serving', 'pauses') THEN split_part(p.key, ' / ', 1)
           WHEN p.kind = 'leases' THEN substring(p.key FROM '^(?:channels of )?([^ ]+)$')
           END, '') AS environment
  FROM placed p LEFT JOIN deployments d ON d.id::text = p.deployment
"""
CONDITIONS = {
    "since": "at::timestamptz >= %(since)s",
    "until": "at::timestamptz < %(until)s",
    "who": "lower(actor) = lower(%(who)s)",
    "what": "strpos(lower(action), lower(%(what)s)) > 0",
    "version": "version = %(version)s",
    "environment": "environment = %(environment)s",
}


class Audit:
    """What was done, by whom and when; nothing here writes."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def find(self, wanted: Wanted) -> Iterator[Row]:
        """Entries, oldest first, with the version and the environment that each speaks of."""
        asked = {name: value for name, value in vars(wanted).items() if value}
        conditions = " AND ".join(CONDITIONS[name] for name in asked) or "true"
        return self._stream(f"SELECT * FROM ({SPOKEN}) AS s WHERE {conditions} ORDER BY id", asked)

    def head(self) -> Head:
        return Head(**(self._store.row("SELECT count, digest FROM audit_head") or _NONE))

    def chain(self, count: int) -> Iterator[tuple[Entry, str]]:
        """The first ``count`` entries with their recorded digests, by id."""
        rows = self._stream(
            "SELECT * FROM audit WHERE id <= %(count)s ORDER BY id", {"count": count}
        )
        return map(_linked, rows)

    def digest_at(self, number: int) -> str:
        """Of one entry, as recorded; "" when there is none."""
        row = self._store.row("SELECT digest FROM audit WHERE id = %s", number)
        return str(row["digest"]) if row else ""

    def _stream(self, query: str, values: dict[str, Any]) -> Iterator[Row]:
        """Row by row: an audit may be larger than memory."""
        with self._store.connection() as connection, connection.cursor(name="audit") as cursor:
            cursor.itersize = CHUNK
            yield from cursor.execute(query, values)


def verified(store: Store, older: Iterable[Head] = ()) -> tuple[str, ...]:
    """Every changed, missing, added or reordered row, one sentence each; empty when all is well.

    ``older`` are ends that the audit once had.
    """
    audit = store.rows("SELECT * FROM audit ORDER BY id")
    entries = [_linked(row) for row in audit]
    recorded = {entry.row: entry.content for entry, _ in entries}
    return (
        *breaks(entries, Audit(store).head(), older),
        *unlike(recorded, _found(store)),
    )


_NONE = {"count": 0, "digest": ""}


def _linked(row: Row) -> tuple[Entry, str]:
    fields = {name: value for name, value in row.items() if name != "digest"}
    return Entry(**fields), row["digest"]


def _found(store: Store) -> dict[str, str]:
    return {name: digest for table in KEYS for name, digest in _digests(store, table)}


def _digests(store: Store, table: str) -> list[tuple[str, str]]:
    columns = sql.SQL(", ").join(sql.Identifier(name) for name in KEYS[table])
    query = sql.SQL("SELECT {}, to_jsonb(t) AS content FROM {} t").format(
        columns, sql.Identifier(table)
    )
    with store.connection() as connection:
        rows = connection.execute(query).fetchall()
    return [
        (row_name(table, {k: row[k] for k in KEYS[table]}), content_digest(row["content"]))
        for row in rows
    ]
