"""Files that people take away: written whole or not at all, in the state folder."""

from collections.abc import Iterable
from pathlib import Path


def written(place: Path, lines: Iterable[str]) -> Path:
    """The file with these lines (each with its own end), line by line: it may be large."""
    place.parent.mkdir(parents=True, exist_ok=True)
    fresh = place.with_name(f"{place.name}.fresh")
    with fresh.open("w", newline="") as file:
        file.writelines(lines)
    return fresh.replace(place)
