"""Which SKUs are asked for when a quota does not allow all of them, and what a sample then says."""

import math
import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from domain.channel import Quota, Rate

ROUNDING = 1e-9
"""Of the logarithms: a chance of exactly 1 − confidence is not above it."""
KEPT_SHARE = 0.3
"""Of a quota that the seller's own sync needs, too; RATE-01 warns below it."""


@dataclass(frozen=True)
class Sample:
    """``skus`` to ask for; ``drawn`` of them at random among ``rest``, the others all for certain.

    Whatever is not among ``rest`` is asked for completely, so only ``rest`` is estimated.
    """

    skus: tuple[str, ...]
    drawn: int
    rest: int


def affordable(quota: Quota, rate: Rate, seconds: float, per_call: int) -> int:
    """SKUs that may be asked for within ``seconds``, ``per_call`` at once; KEPT_SHARE stays unused.

    A token bucket gives its burst and what flows in meanwhile.

    >>> affordable(Quota(1000, 400, 86_400), Rate(2, 2), 30, 50)  # 62 calls, 100 are to spare
    3100
    >>> affordable(Quota(1000, 310, 86_400), Rate(2, 2), 30, 50)  # 10 calls are to spare
    500
    """
    spare = quota.remaining - KEPT_SHARE * quota.limit
    return max(0, math.floor(min(spare, rate.burst + rate.per_second * seconds))) * per_call


def chosen(
    best_first: Sequence[str], changed: Collection[str], most: int, top: int, seed: int
) -> Sample:
    """The ``top`` best sellers, what ``changed`` since the release, then a random rest.

    ``best_first`` are all SKUs of the account, best sellers first; at most ``most`` are taken. The
    same ``seed`` draws the same rest. When what changed is too much already, it is no better known
    than all others and drawn with them.

    >>> chosen(["a", "b", "c", "d"], ["d"], most=3, top=1, seed=7)
    Sample(skus=('a', 'd', 'c'), drawn=1, rest=2)
    """
    best = tuple(best_first[: min(top, most)])
    wanted = frozenset(changed)
    certain = tuple(sku for sku in best_first[len(best) :] if sku in wanted)
    if len(best) + len(certain) > most:
        certain = ()
    known = {*best, *certain}
    rest = [sku for sku in best_first if sku not in known]
    drawn = random.Random(seed).sample(rest, min(len(rest), most - len(known)))
    return Sample((*best, *certain, *drawn), len(drawn), len(rest))


def at_most(violations: int, drawn: int, population: int, confidence_percent: float) -> int:
    """How many of ``population`` may violate when ``violations`` of ``drawn`` did.

    The exact upper bound of the hypergeometric distribution, the finite form of Clopper and Pearson
    (1934): the largest K whose chance to show so few is still above 1 − confidence.

    >>> at_most(0, 598, 100_000, 95), at_most(0, 100, 100, 95), at_most(1, 50, 1000, 95)
    (498, 0, 89)
    """
    least, most = violations, population - drawn + violations
    while least < most:
        middle = (least + most + 1) // 2
        if _so_few(violations, drawn, middle, population) > 1 - confidence_percent / 100 + ROUNDING:
            least = middle
        else:
            most = middle - 1
    return least


def _so_few(violations: int, drawn: int, bad: int, population: int) -> float:
    """P(X <= violations) when ``drawn`` are taken without putting back."""
    every = _log_choose(population, drawn)
    return sum(
        math.exp(_log_choose(bad, k) + _log_choose(population - bad, drawn - k) - every)
        for k in range(max(0, drawn - (population - bad)), min(violations, bad) + 1)
    )


def _log_choose(total: int, taken: int) -> float:
    return math.lgamma(total + 1) - math.lgamma(taken + 1) - math.lgamma(total - taken + 1)
