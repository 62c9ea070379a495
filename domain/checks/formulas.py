"""The arithmetic of the checks, each formula with its source and a worked example."""

import math
from collections.abc import Mapping, Sequence

from domain.checks.looks import Usual
from domain.checks.settings import Checks


def settle_window(checks: Checks, usual_lag_seconds: float) -> float:
    """How long an honest difference may last, in seconds; the lag is the baseline's p95.

    >>> settle_window(Checks(settle_seconds=900), 60), settle_window(Checks(), 400)
    (900, 1200)
    """
    return max(checks.settle_seconds, 3 * usual_lag_seconds)


def allowed(usual: Usual, compared: int, floor: int) -> int:
    """New violations among ``compared`` keys that are not worth an alarm.

    max(floor, B·n + 3·sqrt(B(1−B)·n)): three standard deviations of a binomial count (Shewhart's
    p-chart) at the rate B of *changing* violations in the windows before. Those that stood in every
    window are known by their keys, and are not counted a second time.

    >>> allowed(Usual(changing=6, compared=3000), 1000, 0)  # B = 0.2 %: 2 + 3 * 1.41
    6
    >>> allowed(Usual(changing=0, compared=3000), 1000, 0)
    0
    """
    rate = min(1.0, usual.changing / usual.compared) if usual.compared else 0.0
    return max(floor, math.floor(rate * compared + 3 * math.sqrt(rate * (1 - rate) * compared)))


def in_time(keys: int, exposure: float) -> int:
    """New violations to be expected after the release when ``keys`` began in the time before it.

    ``exposure`` is the time since the baseline as a multiple of the baseline's own. A wrong that is
    going on brings new keys all the time: m = keys·exposure of them, and 3·sqrt(m·(1 + exposure)),
    since both counts are Poisson and the first is all that is known of the rate.

    >>> in_time(0, 1.5), in_time(4, 1.5)
    (0, 17)
    """
    mean = keys * exposure
    return math.floor(mean + 3 * math.sqrt(mean * (1 + exposure)))


def poisson_p(count: int, expected: float) -> float:
    """Exact two-sided p: how rare a count is that is at least as far off (twice the nearer tail).

    Garwood (1936); valid for any expectation, without the normal approximation.

    >>> round(poisson_p(0, 8), 5), round(poisson_p(20, 8), 5), poisson_p(8, 8)
    (0.00067, 0.00051, 1.0)
    """
    if expected <= 0:
        return 0.0 if count else 1.0
    term = math.exp(count * math.log(expected) - expected - math.lgamma(count + 1))
    total, at, step = 0.0, count, -1 if count <= expected else 1
    while term > 1e-18 and at >= 0:
        total += term
        term *= at / expected if step < 0 else expected / (at + 1)
        at += step
    return min(1.0, 2 * total)


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest rank: the smallest value that ``share`` of all do not exceed.

    >>> percentile([5, 1, 4, 2, 3], 0.5), percentile([5, 1, 4, 2, 3], 0.99)
    (3, 5)
    """
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def moved(days: Mapping[str, tuple[int, int]]) -> int:
    """Orders that are on another day here than there; those missing on a side do not count.

    Half of the days' differences beyond the difference of the totals: an order that is booked on
    the wrong day is one too many there and one too few here.

    >>> moved({"mon": (7, 10), "tue": (9, 6)}), moved({"mon": (7, 10), "tue": (6, 6)})
    (3, 0)
    """
    off = [here - there for here, there in days.values()]
    return (sum(abs(one) for one in off) - abs(sum(off))) // 2
