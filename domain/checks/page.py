"""What a person reads about a verdict on stock and orders: Markdown, and every row as CSV."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.checks.catalogue import CHECKS
from domain.checks.evidence import Outcome
from domain.checks.judgement import findings
from domain.checks.looks import Divergence, Look
from domain.markdown import code, plain
from domain.spreadsheet import harmless

MOST_ROWS = 50
SIGNS = {"pass": "✓", "fail": "✗", "inconclusive": "?", "off": "–"}
VERDICTS = {
    "pass": "✓ Stock and orders agree",
    "fail": "✗ Stock or orders do not agree",
    "inconclusive": "? Not known, so not passed",
}
COLUMNS = (
    "channel", "check", "key", "ours", "theirs", "since", "until", "suspected", "detail"
)  # fmt: skip


@dataclass(frozen=True)
class Sheet:
    """Everything on the page of one verdict; ``rows`` are the divergences to be shown."""

    title: str
    at: datetime
    verdict: str
    outcomes: tuple[Outcome, ...]
    rows: tuple[Divergence, ...] = ()


def page(sheet: Sheet) -> str:
    """The verdict first, then what failed, each check by channel, the rows last."""
    parts = (
        f"# {plain(sheet.title)}",
        f"**{VERDICTS[sheet.verdict]}**, {sheet.at:%Y-%m-%d %H:%M %Z}".rstrip() + ".",
        _said(sheet.outcomes),
        checks_table(sheet.outcomes),
        f"{SIGNS['pass']} right, {SIGNS['fail']} wrong, {SIGNS['inconclusive']} not known,"
        f" {SIGNS['off']} not made.",
        rows_table(sheet.rows),
    )
    return "\n\n".join(part for part in parts if part) + "\n"


def looked(look: Look, rows: Sequence[Divergence]) -> str:
    """The page of a look without a release: what violates now, by check and channel."""
    cells = {
        (channel, check): _seen(part.unknown, part.violating.get(check, 0))
        for channel, part in look.parts.items()
        for check in part.compared
    }
    unknown = "\n".join(
        f"- **{plain(channel)}** is not known: {plain(part.unknown)}"
        for channel, part in look.parts.items()
        if part.unknown
    )
    head = f"# Stock and orders, {look.at:%Y-%m-%d %H:%M %Z}".rstrip()
    parts = (head, unknown, _table(cells, tuple(look.parts)), rows_table(rows))
    return "\n\n".join(part for part in parts if part) + "\n"


def checks_table(outcomes: Sequence[Outcome]) -> str:
    """Checks down, channels across, a sign in each cell."""
    channels = tuple(dict.fromkeys(one.channel for one in outcomes))
    return _table({(one.channel, one.check): SIGNS[one.result] for one in outcomes}, channels)


def rows_table(rows: Sequence[Divergence], most: int = MOST_ROWS) -> str:
    """The first ``most`` rows, and how many more there are; nothing for no rows."""
    if not rows:
        return ""
    head = (
        "| Check | Channel | SKU or order | Ours | Theirs | Since | Suspected release |",
        "|---|---|---|---|---|---|---|",
    )
    shown = (
        f"| {row.check} | {plain(row.channel)} | {code(row.key)} | {plain(row.ours)}"
        f" | {plain(row.theirs)} | {row.since:%Y-%m-%d %H:%M:%S} | {plain(row.suspected)} |"
        for row in rows[:most]
    )
    more = (f"\nand {len(rows) - most} more.",) if len(rows) > most else ()
    return "\n".join((*head, *shown, *more))


def csv_lines(rows: Iterable[Divergence]) -> Iterator[str]:
    r"""Every row, each a line with its end; a heading first. No cell is taken for a formula.

    >>> row = Divergence("ebay-us", "INV-03", "=A1", "-2", "0", "", datetime(2026, 1, 2))
    >>> list(csv_lines([row]))[1]
    "ebay-us,INV-03,'=A1,-2,0,2026-01-02T00:00:00,,,\r\n"
    """
    yield _line(COLUMNS)
    for row in rows:
        until = row.until.isoformat() if row.until else ""
        yield _line((
            row.channel, row.check, row.key, row.ours, row.theirs,
            row.since.isoformat(), until, row.suspected, row.detail,
        ))  # fmt: skip


def _line(cells: Sequence[str]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow([harmless(cell) for cell in cells])
    return written.getvalue()


def _said(outcomes: Sequence[Outcome]) -> str:
    """One sentence a failed check, and one a channel and reason why nothing is known."""
    failed = tuple(
        f"- **{one.check}** ({one.severity}) on {plain(one.channel)}: {plain(one.detail)}"
        for one in findings(outcomes)
    )
    unknown = dict.fromkeys(
        f"- {plain(one.channel)} is not known: {plain(one.detail)}"
        for one in outcomes
        if one.result == "inconclusive"
    )
    return "\n".join((*failed, *unknown))


def _seen(unknown: str, violating: int) -> str:
    if unknown:
        return SIGNS["inconclusive"]
    return f"{SIGNS['fail']} {violating}" if violating else SIGNS["pass"]


def _table(cells: Mapping[tuple[str, str], str], channels: Sequence[str]) -> str:
    known = {check for _, check in cells}
    lines = [
        ("Check", *(plain(channel) for channel in channels)),
        ("---",) * (len(channels) + 1),
        *(
            (
                f"{check.id} {plain(check.title)}",
                *(cells.get((one, check.id), "") for one in channels),
            )
            for check in CHECKS
            if check.id in known
        ),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
