"""What specifications say only in words: rates, largest numbers, and when something ends."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise

from domain.channel import Rate

MOST_WORDS = 300
"""Characters of a sentence that are kept."""

_ROW = re.compile(r"^\s*\|(.+)\|\s*$", re.MULTILINE)
_RULE = re.compile(r"[\s|:-]+")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_MOST = re.compile(
    r"(?:between\s+\d+\s+and|maximum(?:\s+\w+){0,3}?(?:\s+is|\s+of|:)?|up\s+to|at\s+most|no\s+more\s+than)"
    r"\s+(\d[\d,]*)(?![\d,]*\.\d)",
    re.IGNORECASE,
)
_MONTHS = (
    "January|February|March|April|May|June|July|August|September|October|November|December"
    "|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec"
)
_DATE = re.compile(
    rf"(?P<iso>\b\d{{4}}-\d{{2}}-\d{{2}}\b)"
    rf"|(?P<month>\b(?:{_MONTHS}))\.?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year>\d{{4}})\b"
    rf"|(?P<day2>\b\d{{1,2}})(?:st|nd|rd|th)?\s+(?P<month2>{_MONTHS})\.?,?\s+(?P<year2>\d{{4}})\b",
    re.IGNORECASE,
)
_ENDS = re.compile(
    r"deprecat|\bremov|retir|sunset|discontinu|decommission|end[- ]of[- ]life|no longer|shut ?down",
    re.IGNORECASE,
)
_DEPRECATED = re.compile(
    r"^\W*deprecated\b|\b(?:is|are|was|been|be|being)\s+deprecated\b", re.IGNORECASE
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z*`\[])|\n\s*(?=[\n*|>#-])")


@dataclass(frozen=True)
class Ending:
    """A sentence that announces an end, and its date where it names one."""

    sentence: str
    on: date | None


def rate(text: str) -> Rate | None:
    """The first row of a table with the columns *Rate* and *Burst*.

    >>> rate("| Rate (requests per second) | Burst |\\n| --- | --- |\\n| 0.0056 | 20 |")
    Rate(per_second=0.0056, burst=20.0)
    """
    rows = [[cell.strip() for cell in row.split("|")] for row in _ROW.findall(text)]
    rows = [row for row in rows if not _RULE.fullmatch("|".join(row))]
    for head, row in pairwise(rows):
        found = [_cell(head, row, column) for column in ("rate", "burst")]
        if found[0] is not None and found[1] is not None:
            return Rate(found[0], found[1])
    return None


def _cell(head: list[str], row: list[str], column: str) -> float | None:
    for title, cell in zip(head, row, strict=False):
        number = _NUMBER.search(cell)
        if title.lower().startswith(column) and number:
            return float(number.group())
    return None


def most(text: str) -> float | None:
    """The largest number or length that the words allow.

    >>> most("You may specify up to 50 SKUs."), most("The value must be between 1 and 100.")
    (50.0, 100.0)
    """
    found = _MOST.search(text)
    return float(found.group(1).replace(",", "")) if found else None


def endings(text: str) -> Iterator[Ending]:
    """Every announced end.

    >>> [one.on for one in endings("This operation will be removed on March 27, 2027.")]
    [datetime.date(2027, 3, 27)]
    """
    for sentence in _SENTENCE.split(text):
        announced = _ENDS.search(sentence)
        if announced is None:
            continue
        on = first_date(sentence[announced.start() :]) or first_date(sentence)
        if on or _DEPRECATED.search(sentence):
            yield Ending(" ".join(sentence.split())[:MOST_WORDS], on)


def first_date(text: str) -> date | None:
    """The first date in ISO 8601 or in English words; None when there is none.

    >>> first_date("ends 27 March 2027"), first_date("2026-13-45")
    (datetime.date(2027, 3, 27), None)
    """
    for found in _DATE.finditer(text):
        on = _date(found.groupdict())
        if on:
            return on
    return None


def _date(parts: dict[str, str | None]) -> date | None:
    written = parts["iso"]
    if not written:
        year, month, day = (parts[name] or parts[name + "2"] for name in ("year", "month", "day"))
        written = f"{year} {str(month)[:3]} {day}"
    try:
        return datetime.strptime(written, "%Y-%m-%d" if parts["iso"] else "%Y %b %d").date()
    except ValueError:
        return None
