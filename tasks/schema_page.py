"""What the approver of a schema change reads, put together from what the ledger knows."""

from collections.abc import Mapping
from datetime import UTC, datetime

from blocks.database import Database
from blocks.database.backup import Backup
from blocks.database.recovery import counted
from blocks.database.rehearsal import table_bytes
from domain.journal import Approval
from domain.schema.migration import Statement
from domain.schema.page import Asked, Line, Saved, Sheet, page
from domain.schema.rehearsal import Measured, Rehearsal, estimate
from domain.schema.settings import Delta
from domain.schema.statements import breaking, is_record
from tasks.deployment import Deploying
from tasks.schema import Change, backed_up, rehearse, settings_of


def shown(under_way: Deploying, change: Change, approval: Approval) -> str:
    """Markdown."""
    backup, rehearsal = backed_up(under_way), rehearse(under_way, change)
    database = under_way.live.database(under_way.environment)
    row = under_way.row
    asked = Asked(
        row.version, row.environment, row.requested_by, approval.expires_at, approval.plan_digest
    )
    saved = Saved(
        (datetime.now(UTC) - datetime.fromisoformat(backup.taken_at)).total_seconds(),
        backup.size,
        backup.rows,
        "restored beside and equal, row by row"
        if backup.kind == "dump"
        else "verified, started and read from beside",
        orders_since(database, settings_of(under_way).deltas, backup.taken_at)
        if change.migration.before
        else None,
    )
    lines = _lines(change, rehearsal, backup, database)
    held_back = breaking(change.statements)
    return page(
        Sheet(asked, lines, change.migration.revisions, saved, rehearsal, held_back=held_back)
    )


def orders_since(database: Database, deltas: Mapping[str, Delta], since: str) -> int | None:
    """Of the first delta, the one that orders are; None where shop.yaml has none."""
    for name, delta in deltas.items():
        return counted(database, {name: delta}, since)[name]
    return None


def _lines(
    change: Change, rehearsal: Rehearsal, backup: Backup, database: Database
) -> tuple[Line, ...]:
    counts = {name.rpartition(".")[2]: count for name, (count, _) in backup.tables.items()}
    there = table_bytes(database, sorted(rehearsal.table_bytes))
    measured = {one.statement.sql: one for one in rehearsal.measured}
    return tuple(
        _line(statement, dangers, measured.get(statement.sql), (rehearsal, there, counts))
        for statement, dangers in zip(change.statements, change.dangers, strict=True)
        if not is_record(statement)
    )


def _line(
    statement: Statement,
    dangers: tuple[str, ...],
    measured: Measured | None,
    known: tuple[Rehearsal, dict[str, int], dict[str, int]],
) -> Line:
    rehearsal, there, counts = known
    seconds = estimate(measured, rehearsal.table_bytes, there) if measured else None
    rows = {
        table: counts[table.rpartition(".")[2]]
        for table in statement.tables
        if table.rpartition(".")[2] in counts
    }
    return Line(statement, rows, dangers, measured, seconds)
