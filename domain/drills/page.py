"""What people read of drills, in Markdown: measured against agreed, the last times, what is due."""

from collections.abc import Mapping, Sequence

from domain.drills.judgement import Drill, Standing
from domain.drills.settings import Kind
from domain.markdown import plain
from domain.report import duration

TITLES: Mapping[Kind, str] = {
    "service": "Outage of a service: its process is killed",
    "host": "Loss of a host, simulated: all that runs on it is ended, its disk stays",
    "database": "Restore of the database, beside the one that serves",
    "rollback": "Rollback rehearsal: to the version before, and forward again",
}
SIGNS = {"passed": "✓", "failed": "✗", "not possible": "–", "": "…"}
STATES = {"good": "✓ good", "overdue": "⚠ overdue", "failed": "✗ failed"}
MOST_ROWS, MOST_CHARACTERS = 20, 300


def page(drills: Sequence[Drill], found: Sequence[Standing]) -> str:
    """``drills`` newest first, ``found`` as shop.yaml wants them."""
    parts = (
        f"# Drills: {_headline(found)}",
        _due(found),
        "## The last ones",
        _history(drills[:MOST_ROWS]),
        *(_evidence(one.last) for one in found if one.last),
    )
    return "\n\n".join(parts) + "\n"


def _headline(found: Sequence[Standing]) -> str:
    bad = [f"{one.kind} {one.state}" for one in found if one.state != "good"]
    return ", ".join(bad) or "all of them are good"


def _due(found: Sequence[Standing]) -> str:
    rows = (
        f"| {one.kind} | {STATES[one.state]} | {_when(one.passed)} | {_last(one)} |"
        f" {one.due_at:%Y-%m-%d} |"
        for one in found
    )
    head = ("| Drill | State | Passed last | Recovered in, agreed | Due |", "|---|---|---|---|---|")
    return "\n".join((*head, *rows))


def _last(standing: Standing) -> str:
    return _recovered(standing.passed) if standing.passed else "–"


def _history(drills: Sequence[Drill]) -> str:
    rows = (
        f"| {one.begun_at:%Y-%m-%d %H:%M} | {one.kind} | {one.environment} |"
        f" {SIGNS[one.result]} {one.result or 'under way'} | {_recovered(one)} | {_lost(one)} |"
        f" {plain(one.requested_by)} | {plain(one.reason[:MOST_CHARACTERS])} |"
        for one in drills
    )
    heads = "| When (UTC) | Drill | Where | Result | RTO, agreed | RPO, agreed | By | Why |"
    return "\n".join((heads, "|---|---|---|---|---|---|---|---|", *rows))


def _recovered(drill: Drill) -> str:
    return f"{_seconds(drill.rto_seconds)} of {_seconds(drill.agreed_rto_seconds)}"


def _lost(drill: Drill) -> str:
    return f"{_seconds(drill.rpo_seconds)} of {_seconds(drill.agreed_rpo_seconds)}"


def _seconds(seconds: float | None) -> str:
    """Short ones to the hundredth: what was agreed may be shorter than that.

    >>> _seconds(0.01), _seconds(75), _seconds(None)
    ('0.01 s', '1 min 15 s', '–')
    """
    if seconds is None:
        return "–"
    return f"{seconds:.2f} s" if seconds < 10 else duration(seconds)


def _when(drill: Drill | None) -> str:
    return f"{drill.begun_at:%Y-%m-%d}" if drill else "never"


def _evidence(drill: Drill) -> str:
    lines = (f"- {plain(name)}: {plain(str(value))}" for name, value in drill.evidence.items())
    return "\n".join((f"### {TITLES[drill.kind]}", "", *lines)).rstrip()
