"""The verdict on a canary: anytime-valid, on realised counts, and never promoting the unknown.

A conditional mixture e-process. Of all events of one kind, the candidate's share would be
w = n_c / (n_c + n_b) if both versions were equal; if it were θ times as bad,
p_θ = wθ / (wθ + 1 − w). The mean over θ of the likelihood ratios is an e-value: at or above m/α for
one of m metrics it is time to go back, whenever one looks.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from domain.host import Served

WORSE = (1.5, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0)
ACCEPTABLE_RATIO = 3.0
SLOW_SHARE = 0.05
"""What is slow is slower than the baseline's 95 %: by that definition 5 % are."""
METRICS = 2


@dataclass(frozen=True)
class Policy:
    """Limits of one service's canary: rates are shares, guard counts are requests."""

    alpha: float
    max_error_rate: float
    guard_failures: int
    guard_requests: int


@dataclass(frozen=True)
class Verdict:
    """``reasons`` say what, how much and against which limit."""

    decision: Literal["promote", "restore", "inconclusive"]
    reasons: tuple[str, ...]


def judge(candidate: Served, baseline: Served, policy: Policy) -> Verdict:
    """One look at both arms since the weight was set; a baseline without requests is allowed."""
    against = (*_guard(candidate, baseline, policy), *_worse(candidate, baseline, policy))
    if against:
        return Verdict("restore", against)
    missing = (
        *_errors_unknown(candidate, baseline, policy),
        *_slow_unknown(candidate, baseline, policy),
    )
    if missing:
        return Verdict("inconclusive", missing)
    return Verdict(
        "promote", (_shown("errors", candidate.errors, candidate, baseline.errors, baseline),)
    )


def _guard(candidate: Served, baseline: Served, policy: Policy) -> tuple[str, ...]:
    """Many failures at the very beginning, unless the baseline fails, too (both arms are out)."""
    early = candidate.requests <= policy.guard_requests
    if not early or candidate.first_errors < policy.guard_failures:
        return ()
    if (
        baseline.requests
        and _rate(baseline.errors, baseline) >= _rate(candidate.errors, candidate) / 2
    ):
        return ()
    return (
        f"{candidate.first_errors} failures in the first {candidate.requests} requests"
        f" against {policy.guard_failures}",
    )


def _worse(candidate: Served, baseline: Served, policy: Policy) -> tuple[str, ...]:
    limit = METRICS / policy.alpha
    found = []
    for name in ("first_errors", "slow"):
        ours, theirs = getattr(candidate, name), getattr(baseline, name)
        value = e_value((ours, candidate.requests), (theirs, baseline.requests), WORSE)
        if value >= limit:
            shown = _shown(name.replace("_", " "), ours, candidate, theirs, baseline)
            found.append(f"{shown}, e-value {value:.0f} against {limit:.0f}")
    return tuple(found)


def _errors_unknown(candidate: Served, baseline: Served, policy: Policy) -> tuple[str, ...]:
    limit = policy.max_error_rate
    if _not_much_worse(candidate.errors, candidate, baseline.errors, baseline, policy):
        return ()
    return _above(candidate.errors, candidate, limit, policy, "errors")


def _slow_unknown(candidate: Served, baseline: Served, policy: Policy) -> tuple[str, ...]:
    if _not_much_worse(candidate.slow, candidate, baseline.slow, baseline, policy):
        return ()
    return _above(candidate.slow, candidate, 2 * SLOW_SHARE, policy, "slow requests")


def _above(events: int, arm: Served, limit: float, policy: Policy, what: str) -> tuple[str, ...]:
    if below(events, arm.requests, limit) >= 1 / policy.alpha:
        return ()
    more = max(1, round(math.log(1 / policy.alpha / 0.7) / -math.log1p(-limit)) - arm.requests)
    return (
        f"{what} {events} of {arm.requests} are not yet shown to be under {limit:.2%},"
        f" about {more} more clean requests would",
    )


def _not_much_worse(
    ours: int, candidate: Served, theirs: int, baseline: Served, policy: Policy
) -> bool:
    """Evidence that the ratio is under ``ACCEPTABLE_RATIO``."""
    counts = ((ours, candidate.requests), (theirs, baseline.requests))
    return e_value(*counts, (1.0,), against=ACCEPTABLE_RATIO) >= 1 / policy.alpha


def e_value(
    candidate: tuple[int, int],
    baseline: tuple[int, int],
    ratios: Sequence[float],
    against: float = 1.0,
) -> float:
    """Evidence for one of ``ratios`` over ``against``; each arm is (events, requests).

    >>> e_value((0, 0), (5, 100), WORSE)
    1.0
    """
    (ours, requests), (theirs, others) = candidate, baseline
    if not requests or not others:
        return 1.0
    share = requests / (requests + others)
    null = _share_at(against, share)
    logs = [
        ours * math.log(_share_at(ratio, share) / null)
        + theirs * math.log((1 - _share_at(ratio, share)) / (1 - null))
        for ratio in ratios
    ]
    top = max(logs)
    return math.exp(min(top, 600)) * sum(math.exp(one - top) for one in logs) / len(logs)


def _share_at(ratio: float, share: float) -> float:
    return share * ratio / (share * ratio + 1 - share)


def below(events: int, requests: int, limit: float) -> float:
    """Evidence (an e-value) that the true rate is under ``limit``, for any number of looks.

    A mixture of likelihood ratios of smaller rates over the limit; most weight is on zero.
    """
    clean = requests - events
    rates = ((0.0, 0.7), (limit / 8, 0.1), (limit / 4, 0.1), (limit / 2, 0.1))
    total = 0.0
    for rate, weight in rates:
        if rate == 0 and events:
            continue
        log = clean * math.log((1 - rate) / (1 - limit))
        log += events * math.log(rate / limit) if events else 0
        total += weight * math.exp(min(log, 600))
    return total


def _rate(events: int, arm: Served) -> float:
    return events / arm.requests if arm.requests else 0.0


def _shown(what: str, ours: int, candidate: Served, theirs: int, baseline: Served) -> str:
    return (
        f"{what} {_rate(ours, candidate):.2%} of {candidate.requests}"
        f" against {_rate(theirs, baseline):.2%} of {baseline.requests}"
    )
