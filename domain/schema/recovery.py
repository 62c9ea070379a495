"""Putting a database back: what speaks against it, and what its approver reads."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from domain.journal import Approval, Deployment
from domain.markdown import code, plain
from domain.schema.settings import Delta

OVERLAP_SECONDS = 3600.0
"""A row may have been stamped well before it was committed; the same row twice is one row."""


@dataclass(frozen=True)
class Restore:
    """A backup, and where the schema was when it was taken and is now.

    It ``fits`` when what serves now also served before that backup.
    """

    name: str
    backup: Mapping[str, Any]
    schema_then: str
    schema_now: str
    fits: bool


def objections(
    restore: Restore, deltas: Mapping[str, Delta], something_serves: bool
) -> tuple[str, ...]:
    """Why it may not begin; empty means go."""
    older = restore.schema_then != restore.schema_now and not restore.fits
    return (
        *(() if something_serves else ("nothing was ever deployed there",)),
        *(() if deltas else ("migrations.deltas is empty: every order since would be lost",)),
        *((_older(restore),) if older else ()),
    )


def _older(restore: Restore) -> str:
    return (
        f"the schema of {restore.name} is at {restore.schema_then or 'nothing'}, what serves was"
        f" released with {restore.schema_now}: roll the code back first, or accept it"
    )


def overlapping(taken_at: str) -> str:
    """From when on rows are carried over, ISO 8601.

    >>> overlapping("2026-11-24T12:00:00+00:00")
    '2026-11-24T11:00:00+00:00'
    """
    return (datetime.fromisoformat(taken_at) - timedelta(seconds=OVERLAP_SECONDS)).isoformat()


def page(
    restore: Restore, row: Deployment, approval: Approval, since: Mapping[str, int], reason: str
) -> str:
    """Markdown for the second person; ``since`` counts rows by delta that came after the backup."""
    carried = ", ".join(f"{count:,} {plain(name)}" for name, count in since.items())
    tables = restore.backup["tables"]
    rows = sum(count for count, _ in tables.values())
    then, now = code(restore.schema_then or "nothing"), code(restore.schema_now or "nothing")
    schema = f"{then}, as now" if then == now else f"{then}, now it is {now}"
    return "\n".join(
        (
            f"## Restore of the database of {plain(row.environment)}",
            f"Asked for by **{plain(row.requested_by)}**: {plain(reason)}. Somebody else has to"
            f" approve it before {approval.expires_at:%Y-%m-%d %H:%M} UTC.",
            "- **Nobody can order while it goes on.** Pages can still be read.",
            f"- Backup: {plain(restore.name)} of {restore.backup['taken_at']}, {rows:,} rows"
            f" in {len(tables)} tables; its schema is {schema}.",
            f"- Came since, exported and replayed by their keys: **{carried}**."
            " Everything else that was written since is lost.",
            "- The database as it is now is kept beside, under another name.",
            f"- Digest of the plan: `{approval.plan_digest}`",
        )
    )
