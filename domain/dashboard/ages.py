"""How long ago, as people say it: one number and its unit."""

from datetime import timedelta
from typing import Literal

Unit = Literal["seconds", "minutes", "hours", "days"]
UNITS: tuple[tuple[Unit, int], ...] = (("days", 86_400), ("hours", 3600), ("minutes", 60))


def age(passed: timedelta) -> tuple[int, Unit]:
    """The greatest unit of which at least one has passed; seconds for less.

    >>> age(timedelta(hours=49)), age(timedelta(seconds=75)), age(timedelta(seconds=-1))
    ((2, 'days'), (1, 'minutes'), (0, 'seconds'))
    """
    seconds = max(0, int(passed.total_seconds()))
    for unit, length in UNITS:
        if seconds >= length:
            return seconds // length, unit
    return seconds, "seconds"
