"""How answers look in a terminal: tables for lists of rows, lines for the rest."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table

from domain.report import duration

NOT_SHOWN = ("digest", "evidence")
"""Too long for a terminal; ``--json`` has them."""


def show(content: Mapping[str, Any]) -> None:
    """Every entry under its name."""
    console = Console()
    for name, value in content.items():
        if _rows(value):
            console.print(table(name, value))
        elif isinstance(value, Mapping):
            console.print(table(name, [{"field": k, "value": v} for k, v in value.items()]))
        else:
            shown = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
            console.print(f"{name}: {shown or 'none'}", markup=False)


def table(title: str, rows: Sequence[Mapping[str, Any]]) -> Table:
    """One row a line, with the first row's columns."""
    drawn = Table(title=title, title_justify="left", title_style="bold")
    columns = [column for column in rows[0] if column not in NOT_SHOWN]
    for column in columns:
        drawn.add_column(column, overflow="fold")
    for row in rows:
        drawn.add_row(*(_cell(column, row[column]) for column in columns))
    return drawn


def _rows(value: object) -> bool:
    return isinstance(value, list | tuple) and bool(value) and isinstance(value[0], Mapping)


def _cell(column: str, value: object) -> str:
    if column == "seconds":
        return duration(value if isinstance(value, float) else None)
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S} UTC"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return "\n".join(map(str, value))
    return str(value)
