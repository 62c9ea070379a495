"""Verifies the ledger: the audit's chain, and every row against what the audit last saw of it."""

from psycopg import sql

from blocks.ledger.store import KEYS, Store, content_digest, row_name
from domain.audit import Entry, Head, breaks, unlike


def verified(store: Store) -> tuple[str, ...]:
    """Every changed, missing, added or reordered row, one sentence each; empty when all is well."""
    audit = store.rows("SELECT * FROM audit ORDER BY id")
    entries = [
        (Entry(**{name: value for name, value in row.items() if name != "digest"}), row["digest"])
        for row in audit
    ]
    head = store.row("SELECT count, digest FROM audit_head")
    recorded = {entry.row: entry.content for entry, _ in entries}
    return (
        *breaks(entries, Head(**(head or {"count": 0, "digest": ""}))),
        *unlike(recorded, _found(store)),
    )


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
