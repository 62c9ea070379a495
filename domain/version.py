"""Release versions: the day and a number that rises within it, as in ``2026.11.24.3``."""

import re
from collections.abc import Iterable
from datetime import date

from domain.errors import BadInput

_FORM = re.compile(r"(\d{4})\.(\d{1,2})\.(\d{1,2})\.([1-9]\d*)")


def parse(version: str) -> tuple[date, int]:
    """Raises BadInput for anything that is not ``YEAR.MONTH.DAY.NUMBER``."""
    found = _FORM.fullmatch(version)
    try:
        if found:
            year, month, day, number = map(int, found.groups())
            return date(year, month, day), number
    except ValueError:  # the 31st of February
        pass
    raise BadInput(f"version is {version!r}, it must look like 2026.11.24.3")


def written(day: date, number: int) -> str:
    """
    >>> written(date(2026, 11, 24), 3)
    '2026.11.24.3'
    """
    return f"{day.year}.{day.month}.{day.day}.{number}"


def newer(one: str, other: str) -> bool:
    """
    >>> newer("2026.11.24.10", "2026.11.24.9")
    True
    """
    return parse(one) > parse(other)


def following(day: date, versions: Iterable[str]) -> str:
    """The next number of ``day``; numbers are never used twice."""
    numbers = (number for when, number in map(parse, versions) if when == day)
    return written(day, max(numbers, default=0) + 1)
