"""What an approver of a schema change reads, in Markdown: the verdict first, the SQL last."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from domain.markdown import block, code, plain, size
from domain.report import duration
from domain.schema.locks import MODES
from domain.schema.migration import Revision, Statement
from domain.schema.rehearsal import Measured, Rehearsal, Smoked, shortened

FIRM = ("contract", "irreversible", "unknown")
"""Kinds that going back to the code before does not undo."""

TAIL_LINES = 12
HOURS_FROM_SECONDS = 7200


@dataclass(frozen=True)
class Asked:
    """The question: which release, for which environment, by whom, open until when."""

    release: str
    environment: str
    by: str
    until: datetime
    plan_digest: str


@dataclass(frozen=True)
class Line:
    """One statement: rows by table, what is dangerous, and how long it may take in production."""

    statement: Statement
    rows: Mapping[str, int] = field(default_factory=dict)
    dangers: tuple[str, ...] = ()
    measured: Measured | None = None
    estimated_seconds: float | None = None


@dataclass(frozen=True)
class Saved:
    """The backup that a restore would take: ``proof`` says how it was proven.

    ``orders_lost`` are the orders that came in since, None when that is not known.
    """

    age_seconds: float
    size_bytes: int
    rows: int
    proof: str
    orders_lost: int | None


@dataclass(frozen=True)
class Sheet:
    """Everything on the page; ``held_back`` says why code cannot go back, empty when it can."""

    asked: Asked
    lines: tuple[Line, ...]
    revisions: tuple[Revision, ...]
    backup: Saved | None
    rehearsal: Rehearsal | None
    objections: tuple[str, ...] = ()
    held_back: tuple[str, ...] = ()


def page(sheet: Sheet) -> str:
    """Markdown; nothing that was written by others is taken for markup."""
    parts = (
        _heading(sheet.asked),
        _verdict(sheet),
        _choices(),
        _statements(sheet.lines),
        _tried(sheet.rehearsal),
        _way_back(sheet),
        f"Digest of the plan: `{sheet.asked.plan_digest}`",
        *(_revision(one) for one in sheet.revisions),
    )
    return "\n\n".join(parts) + "\n"


def _heading(asked: Asked) -> str:
    return (
        f"# Schema change: {plain(asked.release)} for {plain(asked.environment)}\n\n"
        f"Asked by **{plain(asked.by)}**, open until {asked.until:%Y-%m-%d %H:%M %Z}".rstrip()
        + "."
    )


def _verdict(sheet: Sheet) -> str:
    if sheet.objections:
        count = _counted(len(sheet.objections), "objection")
        head = f"## ✗ Do not approve: {count}"
    elif sheet.rehearsal is None:
        head = "## ⚠ Not rehearsed: nobody knows what it does to production"
    elif firm := _firm(sheet):
        head = f"## ⚠ With care: {_counted(len(firm), 'statement')} cannot be undone by old code"
    else:
        head = "## ✓ Nothing speaks against it"
    return "\n".join((head, "", *(f"- {one}" for one in (*_objected(sheet), *_in_short(sheet)))))


def _objected(sheet: Sheet) -> tuple[str, ...]:
    return tuple(f"**{plain(one)}**" for one in sheet.objections)


def _in_short(sheet: Sheet) -> tuple[str, ...]:
    """What somebody wants to know who reads nothing else."""
    firm = (f"{line.statement.kind}: {_sql(line.statement)}" for line in _firm(sheet))
    back = "Code cannot go back" if sheet.held_back else "Code can still go back"
    why = f": {plain('; '.join(sheet.held_back))}" if sheet.held_back else ""
    missing = () if sheet.backup else ("**There is no backup.**",)
    way_back = f"{back} to the version before afterwards{why}."
    return (*firm, *_cost(sheet.lines), way_back, *missing)


def _firm(sheet: Sheet) -> tuple[Line, ...]:
    return tuple(line for line in sheet.lines if line.statement.kind in FIRM)


def _cost(lines: Sequence[Line]) -> tuple[str, ...]:
    known = [line.measured for line in lines if line.measured]
    if not known:
        return ()
    expected = [line.estimated_seconds for line in lines]
    about = "At least" if None in expected else "About"
    reader = max(one.reader_wait_ms for one in known)
    writer = max(one.writer_wait_ms for one in known)
    return (
        f"{about} {_took(sum(one or 0 for one in expected))} in production; on the copy nobody"
        f" waited longer than {_ms(reader)} to read and {_ms(writer)} to write.",
    )


def _choices() -> str:
    return (
        "**Your choices:** approve now; approve for a window, outside of which nothing is done;"
        " or reject, with a reason. Nothing is changed until then."
    )


def _statements(lines: Sequence[Line]) -> str:
    """Narrow, as the form is: what does not fit a cell stands below, by the statement's number."""
    if not lines:
        return "No statement: the release's own code changes the database."
    heads = ("", "Kind", "Statement", "Took", "Production", "Waited to read, write")
    rows = [_row(_line(number, one)) for number, one in enumerate(lines, start=1)]
    table = "\n".join((_row(heads), _row(["---"] * len(heads)), *rows))
    notes = [note for number, one in enumerate(lines, start=1) for note in _notes(number, one)]
    return "\n\n".join((table, "\n".join(notes))).strip()


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _line(number: int, line: Line) -> tuple[str, ...]:
    statement, measured = line.statement, line.measured
    waited = (measured.reader_wait_ms, measured.writer_wait_ms) if measured else ()
    return (
        str(number),
        f"**{statement.kind}**" if statement.kind in FIRM else statement.kind,
        _sql(statement),
        _took(measured.seconds) if measured else "–",
        "–" if line.estimated_seconds is None else _took(line.estimated_seconds),
        ", ".join(map(_ms, waited)) or "–",
    )


def _sql(statement: Statement) -> str:
    return code(shortened(statement.sql, 60)) if statement.sql else "the service's own code"


def _notes(number: int, line: Line) -> tuple[str, ...]:
    """What it touches and holds, why it is of that kind, and what is dangerous about it."""
    statement = line.statement
    tables = ", ".join(
        f"{plain(table)} ({line.rows[table]:,} rows)" if table in line.rows else plain(table)
        for table in statement.tables
    )
    touched = f" Touches {tables}." if tables else ""
    locks = line.measured.locks if line.measured else ()
    ordered = sorted(locks, key=lambda lock: -MODES.index(lock.mode))
    held = ", ".join(f"{lock.mode} on {plain(lock.table)}" for lock in ordered)
    takes = f" Holds {held}." if held else ""
    return (
        f"- {number}: {plain(statement.reason)}.{touched}{takes}",
        *(f"- {number}: ⚠ {plain(danger)}" for danger in line.dangers),
    )


def _tried(rehearsal: Rehearsal | None) -> str:
    if rehearsal is None:
        return "## Rehearsal\n\nThere was none."
    growth = sum(one.growth_bytes for one in rehearsal.measured if one.growth_bytes > 0)
    masked = _counted(len(rehearsal.masked), "column")
    lines = [
        f"On a copy of the database, in {_took(rehearsal.seconds)}; the disk needs"
        f" {size(growth)} more meanwhile; {masked} of personal data masked.",
        *(_smoke(one) for one in rehearsal.smoked),
        *_load(rehearsal),
        *(f"not tried: {plain(one)}" for one in rehearsal.passed_over),
    ]
    return "\n".join(("## Rehearsal", "", *(f"- {line}" for line in lines), *_tails(rehearsal)))


def _smoke(smoked: Smoked) -> str:
    who, took = plain(smoked.who), _took(smoked.seconds)
    if smoked.exit_code == 0:
        return f"✓ smoke test of {who}: passed in {took}"
    how = "did not end" if smoked.exit_code is None else f"exit code {smoked.exit_code}"
    return f"✗ smoke test of {who}: **{how}** after {took}"


def _load(rehearsal: Rehearsal) -> tuple[str, ...]:
    if (load := rehearsal.load) is None:
        return ()
    sign = "✗" if load.failures else "✓"
    runs = _counted(load.runs, "run")
    return (f"{sign} N-1's load beside the change: {runs}, {load.failures} failed",)


def _tails(rehearsal: Rehearsal) -> tuple[str, ...]:
    """The last words of what failed."""
    load = rehearsal.load
    tails = [(one.who, one.tail) for one in rehearsal.smoked if one.exit_code != 0]
    tails += [("N-1's load", load.tail)] if load and load.failures else []
    return tuple(
        f"\n{plain(who)}:\n\n{block(chr(10).join(tail.splitlines()[-TAIL_LINES:]))}"
        for who, tail in tails
    )


def _way_back(sheet: Sheet) -> str:
    backup = sheet.backup
    if backup is None:
        return "## The way back\n\n**There is no backup.**"
    lost = "an unknown number of orders" if backup.orders_lost is None else _orders(backup)
    return (
        "## The way back\n\n"
        f"- The backup is {_took(backup.age_seconds)} old: {size(backup.size_bytes)},"
        f" {backup.rows:,} rows. Proof: {plain(backup.proof)}\n"
        f"- Restoring it now would lose **{lost}**; it is never restored by itself."
    )


def _orders(backup: Saved) -> str:
    return _counted(backup.orders_lost or 0, "order")


def _revision(revision: Revision) -> str:
    title = f"## SQL of {plain(revision.name)}"
    if revision.is_code:
        return f"{title}\n\nNone: it is the service's own code."
    return f"{title}\n\n{block(revision.sql, 'sql')}"


def _took(seconds: float) -> str:
    """
    >>> _took(0.0042), _took(75), _took(9000)
    ('4 ms', '1 min 15 s', '2.5 h')
    """
    if seconds < 1:
        return _ms(seconds * 1000)
    return duration(seconds) if seconds < HOURS_FROM_SECONDS else f"{seconds / 3600:,.1f} h"


def _ms(milliseconds: float) -> str:
    return f"{milliseconds:,.0f} ms"


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
