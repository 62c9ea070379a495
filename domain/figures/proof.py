"""How sure a share is: exact binomial intervals, and how much more would prove what was agreed.

Clopper and Pearson, Biometrika 26 (1934): the shares that so many successes do not contradict.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

CONFIDENCE = 0.95
HALVINGS = 44
NEGLIGIBLE = 1e-250
"""So far from what is likely that one tail has everything."""
MOST_NEEDED = 1 << 40


@dataclass(frozen=True)
class Share:
    """``count`` of ``of``."""

    count: int
    of: int

    @property
    def ratio(self) -> float | None:
        """None of nothing."""
        return self.count / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float]:
        """With 95 % confidence the true share is between these two; of nothing, anywhere.

        >>> [round(bound, 4) for bound in Share(1, 10).interval]
        [0.0025, 0.445]
        """
        tail = (1 - CONFIDENCE) / 2
        return least(self.count, self.of, tail), most(self.count, self.of, tail)

    def __str__(self) -> str:
        """
        >>> str(Share(1, 10)), str(Share(0, 0))
        ('10 % (0–45 %, n = 10)', 'nothing yet (n = 0)')
        """
        if self.ratio is None:
            return "nothing yet (n = 0)"
        low, high = self.interval
        return f"{100 * self.ratio:.0f} % ({100 * low:.0f}–{100 * high:.0f} %, n = {self.of})"


def proven(count: int, of: int) -> float:
    """The share that is at least reached, with 95 % confidence on this one side.

    >>> round(proven(1000, 1000), 4), round(proven(2995, 2995), 4), proven(0, 0)
    (0.997, 0.999, 0.0)
    """
    return least(count, of, 1 - CONFIDENCE)


def still_needed(count: int, of: int, agreed: float) -> int:
    """How many more successes in a row would prove that at least the share ``agreed`` is reached.

    >>> still_needed(0, 0, 0.999), still_needed(2995, 2995, 0.999), still_needed(1000, 1000, 0.997)
    (2995, 0, 0)
    """
    failures = of - count

    def enough(more: int) -> bool:
        return at_most(failures, of + more, 1 - agreed) <= 1 - CONFIDENCE

    if enough(0):
        return 0
    high = 1
    while not enough(high) and high < MOST_NEEDED:
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def least(count: int, of: int, tail: float) -> float:
    """Below this share, ``count`` or more would be rarer than ``tail``."""
    return 1 - most(of - count, of, tail)


def most(count: int, of: int, tail: float) -> float:
    """Above this share, ``count`` or fewer would be rarer than ``tail``."""
    if count >= of:
        return 1.0
    return _falls_to(tail, lambda share: at_most(count, of, share))


def at_most(count: int, of: int, share: float) -> float:
    """The probability of ``count`` or fewer successes; the shorter tail is summed.

    >>> round(at_most(1, 3, 0.5), 6), at_most(3, 3, 0.5), at_most(-1, 3, 0.5)
    (0.5, 1.0, 0.0)
    """
    if count < 0 or count >= of:
        return float(count >= 0)
    if share <= 0 or share >= 1:
        return float(share <= 0)
    if 2 * count > of:
        return 1 - at_most(of - count - 1, of, 1 - share)
    term = total = _exactly(count, of, share)
    if term < NEGLIGIBLE:
        return float(count > of * share)
    for one in range(count, 0, -1):
        term *= one / (of - one + 1) * (1 - share) / share
        total += term
    return min(1.0, total)


def _exactly(count: int, of: int, share: float) -> float:
    ways = math.lgamma(of + 1) - math.lgamma(count + 1) - math.lgamma(of - count + 1)
    return math.exp(ways + count * math.log(share) + (of - count) * math.log1p(-share))


def _falls_to(level: float, of_share: Callable[[float], float]) -> float:
    """The share at which a function that falls from 1 to 0 has come to ``level``."""
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if of_share(middle) > level else (low, middle)
    return high
