"""What was measured, as tables for the terminal, for people (Markdown) and for programs (JSON)."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

WIDTH = 130


@dataclass(frozen=True)
class Result:
    """One part: ``rows`` are what is shown, ``raw`` is every single measurement, with units."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    raw: dict[str, Any] = field(default_factory=dict)

    def shown(self) -> Table:
        table = Table(*self.columns, title=self.title, title_justify="left")
        for row in self.rows:
            table.add_row(*row)
        return table

    def markdown(self) -> str:
        lines = [self.columns, ("---",) * len(self.columns), *self.rows]
        return f"## {self.title}\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines)


class Record:
    """Keeps every part as soon as it is measured, so that a run cut short has its first ones."""

    def __init__(self, folder: Path, conditions: Result) -> None:
        self._folder = folder
        self._results: list[Result] = []
        self._console = Console(width=WIDTH)
        self.add(conditions)

    def add(self, result: Result) -> None:
        self._results.append(result)
        self._console.print(result.shown(), "")
        self._folder.mkdir(parents=True, exist_ok=True)
        raw = [asdict(one) for one in self._results]
        (self._folder / "results.json").write_text(json.dumps(raw, indent=1, ensure_ascii=False))
        text = "\n\n".join(one.markdown() for one in self._results)
        (self._folder / "results.md").write_text(f"{text}\n")


def versus(title: str, measured: dict[str, tuple[float, float]]) -> Result:
    """Ours and the plain way's, by what was measured."""
    rows = tuple(
        (what, f"{ours:g}", f"{plain:g}", f"{ours / plain:.2f}" if plain else "–")
        for what, (ours, plain) in measured.items()
    )
    return Result(title, ("what", "Tradewind", "the plain way", "ratio"), rows, dict(measured))


def spread(values: Sequence[float], places: int = 2) -> str:
    """The median, and from the least to the most where there is more than one value."""
    if not values:
        return "–"
    middle = f"{median(values):.{places}f}"
    if len(values) == 1:
        return middle
    return f"{middle} ({min(values):.{places}f}–{max(values):.{places}f})"


def ratios(values: Sequence[float], others: Sequence[float]) -> list[float]:
    """Round by round, so that what slowed the machine slowed both."""
    return [value / other for value, other in zip(values, others, strict=False)]
