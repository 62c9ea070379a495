"""Times as people compare them: the middle, and how bad it gets."""

import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from domain.report import duration

ENOUGH = 20
"""Fewer values than these have no 95th percentile that would not just be the largest."""


@dataclass(frozen=True)
class Spread:
    """Of ``n`` values in seconds; ``p95`` is None while there are too few."""

    n: int
    median: float | None
    p95: float | None
    longest: float | None

    def __str__(self) -> str:
        """
        >>> str(spread([60.0, 120.0])), str(spread([]))
        ('1 min 30 s, longest 2 min 0 s (n = 2)', 'nothing yet (n = 0)')
        """
        if self.n == 0:
            return "nothing yet (n = 0)"
        worse = f"95 % within {span(self.p95)}" if self.p95 else f"longest {span(self.longest)}"
        return f"{span(self.median)}, {worse} (n = {self.n})"


def spread(values: Iterable[float]) -> Spread:
    """In any order."""
    found = sorted(values)
    if not found:
        return Spread(0, None, None, None)
    p95 = statistics.quantiles(found, n=20, method="inclusive")[-1] if _enough(found) else None
    return Spread(len(found), statistics.median(found), p95, found[-1])


def _enough(values: list[float]) -> bool:
    return len(values) >= ENOUGH


def span(seconds: float | None) -> str:
    """Like ``duration``, with hours and days where there are any.

    >>> span(75), span(3 * 3600 + 300), span(2.5 * 86_400), span(None)
    ('1 min 15 s', '3 h 5 min', '2 d 12 h', '')
    """
    if seconds is None or seconds < 3600:
        return duration(seconds)
    minutes = round(seconds / 60)
    if minutes < 1440:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes // 1440} d {minutes % 1440 // 60} h"
