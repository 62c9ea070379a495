"""Checks that are judged by one number of a look, not row by row."""

from collections.abc import Callable, Mapping
from statistics import median

from domain.checks.evidence import Evidence, Result, measured
from domain.checks.formulas import moved, percentile, poisson_p
from domain.checks.looks import Measures
from domain.checks.settings import Checks

Answer = tuple[Result, str]
Volume = tuple[int, int, float]

ENOUGH_LOOKS = 20
LEAST_MASS, UNKNOWN_MASS = 0.05, 0.2
"""Share of SKUs that may change massively however rare that is; and while too little is known."""

UNUSUAL_P = 0.001
ENOUGH_ORDERS = 30
MIDNIGHT_SHARE = 0.01
"""Of all orders, those that an honest lag may book on the next day."""

RECEIVED_SHARE = 0.995
REFUSED_SHARE, REMAINING_SHARE = 0.01, 0.3


def whole(evidence: Evidence, checks: Checks) -> Answer:
    """PAG-01."""
    return ("inconclusive", evidence.unknown) if evidence.unknown else ("pass", "whole")


def mass(evidence: Evidence, checks: Checks) -> Answer:
    """INV-09: more SKUs than in 99 of 100 looks before."""
    shares = evidence.after(_changed)
    if not shares:
        return _not_measured(evidence, _changed)
    limit, known = UNKNOWN_MASS, measured(evidence.history, _changed)
    if len(known) >= ENOUGH_LOOKS:
        limit = max(LEAST_MASS, percentile(known, 0.99))
    said = f"{min(shares):.1%} of SKUs changed by more than half, {limit:.1%} allowed"
    return ("fail" if min(shares) > limit else "pass"), said


def volume(evidence: Evidence, checks: Checks) -> Answer:
    """ORD-07: in both looks; what is unusual on both sides is not the release."""
    counts = evidence.after(_counts)
    if not counts:
        return _not_measured(evidence, _counts)
    answers = [_usual(count) for count in counts]
    return next((one for one in answers if one[0] == "pass"), answers[-1])


def _usual(count: Volume) -> Answer:
    here, there, expected = count
    said = f"{here} orders here, {there} there, {expected:.1f} expected in 15 minutes"
    if poisson_p(here, expected) >= UNUSUAL_P:
        return "pass", said
    if here == there == 0:
        return "inconclusive", f"{said}: suspect the channel"
    if min(here, there) > expected and poisson_p(there, expected) < UNUSUAL_P:
        return "pass", f"{said}: more is bought"
    return "fail", said


def lag(evidence: Evidence, checks: Checks) -> Answer:
    """LAG-01: late by the agreed limit, or by twice what was usual.

    Three times the lag fit into the settle window, or else it is no honest difference any more;
    a lag for which that still holds is not late.
    """
    lags = evidence.after(_lag)
    if not lags:
        return _not_measured(evidence, _lag)
    seconds, orders = min(lags)
    if orders < ENOUGH_ORDERS:
        return "pass", f"only {orders} orders, {ENOUGH_ORDERS} are needed to judge"
    known = [before for before, count in evidence.before(_lag) if count >= ENOUGH_ORDERS]
    usual = max(2 * median(known), checks.settle_seconds / 3) if known else checks.lag_seconds
    limit = min(checks.lag_seconds, usual)
    said = f"95 % of {orders} orders within {seconds:.1f} s, {limit:.1f} s allowed"
    return ("fail" if seconds > limit else "pass"), said


def events(evidence: Evidence, checks: Checks) -> Answer:
    """HOOK-01: by our own count, and by the channel's own word."""
    counts = evidence.after(_events)
    if not counts:
        return _not_measured(evidence, _events)
    received, expected, lost = counts[-1]
    lost_before = max((one[2] for one in evidence.before(_events)), default=0)
    said = f"{received} of {expected} events received, {lost} lost by the channel's own word"
    few = received < RECEIVED_SHARE * expected
    return ("fail" if few or lost > lost_before else "pass"), said


def calls(evidence: Evidence, checks: Checks) -> Answer:
    """RATE-01: judged although the answers may not be whole."""
    after = evidence.again.measures
    if not after.calls:
        return "off", "nothing was asked"
    empty = after.remaining is not None and after.remaining < REMAINING_SHARE
    left = "" if after.remaining is None else f", {after.remaining:.0%} of the quota remain"
    said = f"{after.refused} of {after.calls} calls refused{left}"
    refused = after.refused > REFUSED_SHARE * after.calls
    return ("fail" if refused or empty else "pass"), said


def version(evidence: Evidence, checks: Checks) -> Answer:
    """VER-01: a version that answered before the release, too, is not the release's."""
    after = evidence.again.measures
    if not after.version or not after.pinned:
        return "off", "the channel says no version"
    said = f"{after.version} answered, {after.pinned} pinned"
    if after.version == after.pinned:
        return "pass", said
    before = {part.measures.version for part in evidence.baseline}
    return ("pass", f"{said}, as before") if after.version in before else ("fail", said)


def moved_days(evidence: Evidence) -> int:
    """TZ-01: orders booked on another day than the channel's, beyond what was so before."""
    days = evidence.after(lambda measures: measures.days)
    before = max((moved(one) for one in evidence.before(lambda it: it.days)), default=0)
    honest = MIDNIGHT_SHARE * max(sum(there for _, there in one.values()) for one in days)
    return max(0, min(moved(one) for one in days) - before - int(honest))


def _not_measured(evidence: Evidence, what: Callable[[Measures], object | None]) -> Answer:
    if evidence.unknown:
        return "inconclusive", evidence.unknown
    if evidence.before(what):
        return "inconclusive", "not measured, but it was before"
    return "off", "not measured"


def _changed(measures: Measures) -> float | None:
    return measures.changed_share


def _counts(measures: Measures) -> Volume | None:
    return measures.volume


def _lag(measures: Measures) -> tuple[float, int] | None:
    return None if measures.lag_seconds is None else (measures.lag_seconds, measures.lag_orders)


def _events(measures: Measures) -> tuple[int, int, int] | None:
    return measures.events


MEASURED: Mapping[str, Callable[[Evidence, Checks], Answer]] = {
    "PAG-01": whole,
    "INV-09": mass,
    "ORD-07": volume,
    "LAG-01": lag,
    "HOOK-01": events,
    "RATE-01": calls,
    "VER-01": version,
}
ALTHOUGH_UNKNOWN = ("PAG-01", "RATE-01", "VER-01")
"""What is about the answer itself; all else cannot be judged from one that is not whole."""
