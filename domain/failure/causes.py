"""Why something failed, by the texts it left: the usual cause, and the line that tells it."""

import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from domain.failure.telltales import TELLTALES, Usual

MOST_LINE = 300
MOST_TEXT = 40_000
LONG_LINE = re.compile(r"(.{1000})(?=.)")
"""Broken there: what is searched stays short however a program writes."""


@dataclass(frozen=True)
class Recognised:
    """A usual cause and the line that gave it away; ``name`` is what is missing or was refused."""

    cause: Usual
    line: str
    name: str = ""


def recognised(texts: Iterable[str]) -> Recognised | None:
    """The most telling place in all texts; of equals the last one. None: no usual cause."""
    whole = "\n".join(LONG_LINE.sub(r"\1\n", text[-MOST_TEXT:]) for text in texts)
    for telltale in TELLTALES:
        found = deque(telltale.pattern.finditer(whole), maxlen=1)
        if found:
            name = found[0].groupdict().get("name") or ""
            return Recognised(telltale.cause, _line(whole, found[0].end() - 1), name)
    return None


def _line(text: str, at: int) -> str:
    """The line there; of a long one as much as a person reads."""
    begin, end = text.rfind("\n", 0, at) + 1, text.find("\n", at)
    line = text[begin : end if end >= 0 else None]
    if len(line) <= MOST_LINE:
        return line.strip()
    start = max(0, at - begin - MOST_LINE // 2)
    return f"…{line[start : start + MOST_LINE].strip()}…"
