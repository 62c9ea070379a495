"""What a campaign's runs say together: found, told, left in doubt, blamed without guilt."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from tests.campaigns.checks.kinds import GUILTY, INNOCENT, UNKNOWN, Kind
from tests.campaigns.checks.run import Row

GOAL_RECALL, GOAL_ALARMS = 0.99, 0.005


@dataclass(frozen=True)
class Summary:
    """Shares of runs; ``alarms`` of innocent releases that failed."""

    recall: float
    alarms: float

    @property
    def good(self) -> bool:
        return self.recall >= GOAL_RECALL and self.alarms <= GOAL_ALARMS


def right(kind: Kind, row: Row) -> bool:
    """Whether the run said what its kind demands, for the right reason."""
    spoken = bool(set(kind.checks) & set(row.failed))
    match kind.severity:
        case "critical":
            return row.verdict == "fail" and spoken
        case "high" | "warning":
            return spoken
        case "unknown":
            return row.verdict == "inconclusive"
        case _:
            return row.verdict == "pass"


def summary(rows: Sequence[Row]) -> Summary:
    critical = [
        right(kind, row) for kind, row in _paired(GUILTY, rows) if kind.severity == "critical"
    ]
    blamed = [row.verdict == "fail" for _, row in _paired((*INNOCENT, *UNKNOWN), rows)]
    return Summary(_share(critical, 1.0), _share(blamed, 0.0))


def table(rows: Sequence[Row]) -> str:
    """Markdown, a row a kind: runs, right ones, verdicts, the median time; then other ways."""
    head = (
        "| Kind | Severity | Runs | Right | Fail | Inconclusive | Pass | Seconds | Hasty: fail"
        " | Health: ill |",
        "|---|---|---|---|---|---|---|---|---|---|",
    )
    lines = (
        _line(kind, [row for row in rows if row.kind == kind.name])
        for kind in (*GUILTY, *UNKNOWN, *INNOCENT)
    )
    return "\n".join((*head, *(line for line in lines if line)))


def wrong(rows: Sequence[Row]) -> str:
    """The runs that did not say what they should, each with what they said."""
    return "\n".join(
        f"{row.kind} {row.seed}: {row.verdict}, failed {', '.join(row.failed) or 'nothing'}"
        + "".join(f"\n    {detail[:300]}" for detail in row.details[:4])
        for kind, row in _paired((*GUILTY, *UNKNOWN, *INNOCENT), rows)
        if not right(kind, row)
    )


def _line(kind: Kind, rows: Sequence[Row]) -> str:
    if not rows:
        return ""
    counts = [sum(row.verdict == said for row in rows) for said in ("fail", "inconclusive", "pass")]
    cells = (
        kind.name, kind.severity, len(rows), sum(right(kind, row) for row in rows), *counts,
        f"{median(row.seconds for row in rows):.0f}",
        sum(row.hasty == "fail" for row in rows), sum(not row.healthy for row in rows),
    )  # fmt: skip
    return f"| {' | '.join(map(str, cells))} |"


def _paired(kinds: Iterable[Kind], rows: Sequence[Row]) -> list[tuple[Kind, Row]]:
    return [(kind, row) for kind in kinds for row in rows if row.kind == kind.name]


def _share(answers: Sequence[bool], otherwise: float) -> float:
    return sum(answers) / len(answers) if answers else otherwise
