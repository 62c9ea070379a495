"""What a person reads about a release: stages as a table, the route as a picture, in Markdown."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Stage:
    """One line of the report; ``seconds`` is None while it is not finished."""

    where: str
    name: str
    status: str
    seconds: float | None
    remark: str = ""


SIGNS = {"done": "✓", "failed": "✗", "intent": "…", "rolled back": "↩", "refused": "–"}
COLOURS = {"done": "#2e7d32", "rolled back": "#c62828", "halted": "#c62828"}


def stages_table(stages: Sequence[Stage]) -> str:
    """A Markdown table, one row a stage, in the order given."""
    rows = (
        f"| {stage.where} | {stage.name} | {_whole(SIGNS.get(stage.status, ''), stage.status)} |"
        f" {_whole(duration(stage.seconds))} | {cell(stage.remark)} |"
        for stage in stages
    )
    return "\n".join(("| Where | Step | Result | Took | Remark |", "|---|---|---|---|---|", *rows))


def _whole(*words: str) -> str:
    """On one line, however narrow the column."""
    return " ".join(words).replace(" ", "\N{NO-BREAK SPACE}")


def route_picture(places: Sequence[tuple[str, str]]) -> str:
    """A mermaid picture of the route: (environment, state) in order, from commit to customers."""
    names = [f'e{number}["{place}<br/>{state}"]' for number, (place, state) in enumerate(places)]
    colours = [
        f"style e{number} stroke:{COLOURS.get(state, '#9e9e9e')},stroke-width:2px"
        for number, (_, state) in enumerate(places)
    ]
    return "\n".join(
        ("```mermaid", "flowchart LR", " --> ".join(("commit([commit])", *names)), *colours, "```")
    )


def duration(seconds: float | None) -> str:
    """
    >>> duration(0.42), duration(75), duration(None)
    ('0.4 s', '1 min 15 s', '')
    """
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def cell(text: str, most: int = 300) -> str:
    """Text that fits into one cell of a Markdown table."""
    line = " ".join(text.replace("|", "\\|").split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def seconds_between(start: datetime | None, end: datetime | None) -> float | None:
    if start is None or end is None:
        return None
    return (end - start) / timedelta(seconds=1)
