"""Lines of many writers in one order, and as a terminal shows them."""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.logs.record import LONG_AGO, Document, moment

_WIDTH = 7


@dataclass(frozen=True)
class Wanted:
    """Which lines: empty is all of them; ``since`` is a time with its zone."""

    service: str = ""
    environment: str = ""
    since: datetime = LONG_AGO

    def wants(self, line: Document) -> bool:
        return (
            _time(line) >= self.since
            and self.service in ("", line.get("service.name"))
            and self.environment in ("", line.get("service.environment"))
        )


def merged(streams: Iterable[Iterable[Document]]) -> Iterator[Document]:
    """By time, one line of each stream in memory at once; no stream's own order is changed."""
    return heapq.merge(*streams, key=_time)


def _time(line: Document) -> datetime:
    return moment(line.get("@timestamp")) or LONG_AGO


def shown(line: Document) -> str:
    """Time, where, who, level, what; nothing in it steers a terminal.

    >>> shown({"@timestamp": "2026-11-28T11:05:00.000000Z", "service.environment": "staging",
    ...        "host.name": "staging-1", "service.name": "web", "service.version": "2026.11.28.1",
    ...        "log.level": "info", "message": "ready\\x1b[2J"})
    '2026-11-28 11:05:00.000Z staging/staging-1 web 2026.11.28.1 info    ready�[2J'
    """
    at = _time(line)
    time = at.strftime("%Y-%m-%d %H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
    told = (_text(line, "error.stack_trace"), *_text(line, "message").splitlines())
    level = f"{_text(line, 'log.level'):<{_WIDTH}}"
    place = "/".join(filter(None, map(line.get, ("service.environment", "host.name"))))
    who = filter(None, (line.get("service.name"), line.get("service.version")))
    words = (time, printable(place or "-"), *map(printable, map(str, who)), printable(level))
    stack, *message = told
    body = "\n    ".join(map(printable, [*message, *stack.splitlines()]))
    return f"{' '.join(words)} {body}"


def _text(line: Document, name: str) -> str:
    found: Any = line.get(name)
    return "" if found is None else str(found)


def printable(text: str) -> str:
    """Control characters, and those that turn the writing direction, as ``�``.

    >>> printable("a\\tb")
    'a b'
    """
    return "".join(one if one.isprintable() else "�" for one in text.replace("\t", " "))
