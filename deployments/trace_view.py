"""How a version's trace and a failure look in a terminal of 80 columns or more."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from domain.failure.explanation import Explanation
from domain.report import cell, duration

Row = Mapping[str, Any]
COLOURS = {"released": "green", "done": "green", "restored": "red", "halted": "red"}
PASSED = ("pass", "promote", "off")


def show_failure(found: Explanation, console: Console | None = None) -> None:
    """Cause and sentence first, then evidence, what holds now, and what to do."""
    screen = console or Console()
    where = "" if found.where == "release" else f" in {found.where}"
    screen.print(Text(f"{found.version} {found.state}: {found.cause}", style="bold red"))
    screen.print(Text(found.sentence))
    screen.print(Text(f"stage: {found.stage}{where}", style="dim"))
    screen.print(Panel(Text("\n".join(found.evidence)), title="evidence", title_align="left"))
    _listed(screen, "What holds now", found.restored)
    screen.print(Text("First three things to do", style="bold"))
    for number, one in enumerate(found.todo, 1):
        screen.print(Padding(Text(f"{number}. {one.what}"), (0, 0, 0, 2)))
        if one.command:
            screen.print(Padding(Text(one.command, style="cyan"), (0, 0, 0, 5)))


def show_trace(found: Row, console: Console | None = None) -> None:
    """A section each; one without anything says so."""
    screen = console or Console()
    release = found["release"]
    state = release["state"]
    screen.print(Text(f"{release['version']} {state}", style=f"bold {COLOURS.get(state, '')}"))
    screen.print(Text(cell(release["outcome"]) or "under way"))
    for title, body in _sections(found):
        screen.print(Text(f"\n{title}", style="bold"))
        screen.print(Padding(body, (0, 0, 0, 2)))


def _sections(found: Row) -> Iterator[tuple[str, RenderableType]]:
    evidence = found["evidence"]
    yield "Commit", Text("\n".join(_commit(found["commit"])))
    yield "Route", _table(map(_stretch, found["route"]), "what", "state", "began (UTC)", "took")
    yield "People", _table(map(_person, found["people"]), "who", "did", "at (UTC)", "said")
    gates = map(_gate, evidence["gates"])
    yield "Gates", _table(gates, "service", "result", "tests", "coverage", "took")
    yield "Confirmed by the forge", Text(_protections(evidence["protections"]))
    yield "Backups", _table(map(_backup, evidence["backups"]), "where", "taken", "tables", "proven")
    yield "Hosts", _table(map(_host, found["hosts"]), "where", "service", "digest", "runs now")
    yield "Checks", _checks(found["checks"])
    yield "Errors reported", Text(_errors(found["errors"]))
    yield (
        "Cost",
        Text("\n".join(f"{name}: {_short(value)}" for name, value in found["cost"].items())),
    )
    stages = map(_stage, found["stages"])
    yield "Steps", _table(stages, "where", "step", "result", "took", "remark")


def _table(rows: Iterable[tuple[str, ...]], *columns: str) -> RenderableType:
    """No frames: 80 columns are few; the last column has what is left of them."""
    listed = list(rows)
    if not listed:
        return Text("none", style="dim")
    drawn = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        drawn.add_column(column, overflow="fold", justify="left")
    for row in listed:
        drawn.add_row(*map(escape, row))
    return drawn


def _commit(commit: Row) -> Iterator[str]:
    yield f"{commit['id'][:12]} of {commit['ref']}: {commit.get('subject', '')}"
    if "commits" in commit:
        yield f"{commit['commits']} commit(s) more than {commit['since']}, which served before"
        yield from (f"  {line}" for line in commit["newest"])
    if "problem" in commit:
        yield f"git does not tell: {commit['problem']}"


def _stretch(row: Row) -> tuple[str, ...]:
    return row["what"], row["state"], _at(row["began"]), duration(row["seconds"]) or "not yet"


def _person(row: Row) -> tuple[str, ...]:
    return row["who"], row["did"], _at(row["at"]), row["said"]


def _gate(row: Row) -> tuple[str, ...]:
    percent = row["coverage_percent"]
    result = "passed" if row["passed"] else f"failed: {row['said']}"
    covered = "" if percent is None else f"{percent:.1f} %"
    tests = "" if row["tests"] is None else str(row["tests"])
    return row["service"], result, tests, covered, duration(row["seconds"])


def _protections(answer: Row) -> str:
    if not answer:
        return "not asked: shop.yaml requires nothing of a forge"
    return "\n".join(f"{name}: {value}" for name, value in answer.items())


def _backup(row: Row) -> tuple[str, ...]:
    proven = f"rehearsed in {duration(row['rehearsal_seconds'])}" if row["proven"] else "no"
    return row["environment"], row["taken_at"][:16], str(row["tables"]), proven


def _host(row: Row) -> tuple[str, ...]:
    now = "\n".join(row["runs_now"]) or f"nowhere; it was on {', '.join(row['started_on'])}"
    return row["environment"], row["service"], row["digest"][7:19], now


def _checks(rows: Iterable[Row]) -> RenderableType:
    """How many passed, and in full only those that did not."""
    listed = list(rows)
    canaries = [row for row in listed if row["of"] == "canary"]
    others = [row for row in listed if row["of"] != "canary" and row["verdict"] not in PASSED]
    counts = Counter(row["verdict"] for row in listed if row["of"] != "canary")
    counted = ", ".join(f"{n} {verdict}" for verdict, n in sorted(counts.items()))
    columns = ("where", "of", "what", "verdict", "said")
    return Group(
        Text(f"stock and orders: {counted or 'not checked'}"),
        _table(map(_check, canaries), *columns) if canaries else Text("canary: none was watched"),
        *([_table(map(_check, others), *columns)] if others else []),
    )


def _check(row: Row) -> tuple[str, ...]:
    return row["environment"], row["of"], row["what"], row["verdict"], row["said"]


def _errors(rows: Iterable[Row]) -> str:
    return "\n".join(f"{row['environment']} {row['what']}: {row['errors']}" for row in rows) or (
        "none"
    )


def _stage(row: Row) -> tuple[str, ...]:
    name = row["name"].strip("*")
    return row["where"], name, row["status"], duration(row["seconds"]), row["remark"][:200]


def _listed(screen: Console, title: str, lines: Iterable[str]) -> None:
    screen.print(Text(title, style="bold"))
    for line in lines:
        screen.print(Padding(Text(f"· {line}"), (0, 0, 0, 2)))


def _at(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment:%m-%d %H:%M:%S}"


def _short(value: object) -> str:
    """
    >>> _short(1.0046781500000002), _short("EUR")
    ('1.005', 'EUR')
    """
    return f"{value:.4g}" if isinstance(value, float) else str(value)
