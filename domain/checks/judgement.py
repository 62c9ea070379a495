"""What the looks around a release mean: one outcome per check and channel, one verdict of all."""

from collections.abc import Mapping, Sequence
from typing import Literal

from domain.checks.catalogue import ALL, CHECKS, Check, Severity
from domain.checks.evidence import Evidence, Outcome, Result
from domain.checks.formulas import allowed, in_time
from domain.checks.looks import Divergence, New, Usual
from domain.checks.numbers import ALTHOUGH_UNKNOWN, MEASURED, moved_days
from domain.checks.sampling import Sample, at_most
from domain.checks.settings import Checks

ACROSS = ("INV-02",)
"""Checks that speak of all channels at once."""

OF_STOCK = ("INV-01", "INV-03", "INV-04", "INV-05", "INV-06", "INV-07", "INV-08", "INV-10")
"""What a sample of the SKUs leaves unseen."""

ONE_SKU = 1
"""May show too few units, or too many if it sells little: eBay hides what is not paid yet."""

OF_FEW = ("INV-04", "INV-10")
"""What compares only SKUs that are sold out, or wait to be pushed: there may well be none."""

SINCE_OPENING = ("INV-07", "INV-08")
"""What is told by the change since a look before; the first window has none to compare with."""

BY_ORDER = ("ORD-02", "ORD-03", "ORD-04", "ORD-05", "ORD-06", "ORD-08", "TZ-01", "HOOK-01")
RULE_OF_THREE = 3
"""Orders may go wrong at a rate that shows nothing in the windows and up to three afterwards (95 %
of the time): where some were wrong before, so few more are not new."""

SHOWN_ROWS = 5
TAKES_BACK: Mapping[str, tuple[Severity, ...]] = {
    "critical": ("critical",),
    "high": ("critical", "high"),
}
WORST_FIRST: tuple[Severity, ...] = ("critical", "high", "warning", "validity")


def judged(evidence: Evidence, checks: Checks) -> tuple[Outcome, ...]:
    """One outcome per check; only what is new since the baseline and outlasts the window fails."""
    across = evidence.channel == ALL
    return tuple(
        _outcome(check, evidence, checks) for check in CHECKS if (check.id in ACROSS) == across
    )


def verdict(
    outcomes: Sequence[Outcome], restores: Literal["critical", "high"]
) -> Literal["pass", "fail", "inconclusive"]:
    """A failure of at least that severity outweighs what is unknown; unknown is never a pass.

    Lesser failures are findings: they are told, and take nothing back.
    """
    if any(one.result == "fail" and one.severity in TAKES_BACK[restores] for one in outcomes):
        return "fail"
    results = {one.result for one in outcomes}
    return "inconclusive" if "inconclusive" in results or results <= {"off"} else "pass"


def findings(outcomes: Sequence[Outcome]) -> tuple[Outcome, ...]:
    """Every failed check, the worst first."""
    failed = (one for one in outcomes if one.result == "fail")
    return tuple(sorted(failed, key=lambda one: WORST_FIRST.index(one.severity)))


def shown(row: Divergence) -> str:
    """A violation in one breath: its key, both values, since when."""
    return f"{row.key}: {row.ours} here, {row.theirs} there, since {row.since:%Y-%m-%d %H:%M:%S}"


def _outcome(check: Check, evidence: Evidence, checks: Checks) -> Outcome:
    result, detail = _answer(check, evidence, checks)
    rows = evidence.new.get(check.id, New()).rows if result == "fail" else ()
    if rows:
        detail += f" ({'; '.join(shown(row) for row in rows[:SHOWN_ROWS])})"
    if result == "fail":
        detail = f"{check.title}: {detail}"
    return Outcome(evidence.channel, check.id, check.severity, result, detail, rows)


def _answer(check: Check, evidence: Evidence, checks: Checks) -> tuple[Result, str]:
    if evidence.unknown and check.id not in ALTHOUGH_UNKNOWN:
        return "inconclusive", evidence.unknown
    if check.id in MEASURED:
        return MEASURED[check.id](evidence, checks)
    return _not_compared(check.id, evidence) or _by_rows(check, evidence, checks)


def _not_compared(check: str, evidence: Evidence) -> tuple[Result, str] | None:
    """Off when it never was made; inconclusive when it was, or when a second look left it out."""
    parts = (*evidence.baseline, evidence.first, evidence.again)
    if not any(check in part.compared for part in parts):
        return "off", "not declared"
    few = check in OF_FEW
    before = any(part.compared.get(check) for part in evidence.baseline)
    now = evidence.first.compared.get(check)
    gone = before and (now is None or (now == 0 and not few))
    left_out = evidence.first.violating.get(check) and not evidence.again.compared.get(check)
    if gone or (left_out and not few):
        return "inconclusive", "nothing was compared, something was before"
    return None


def _by_rows(check: Check, evidence: Evidence, checks: Checks) -> tuple[Result, str]:
    new, compared = evidence.new.get(check.id, New()), evidence.first.compared.get(check.id, 0)
    count = max(new.count, moved_days(evidence)) if check.id == "TZ-01" else new.count
    limit = _limit(check, compared, evidence, checks)
    counted = f"{count} of {compared} new, {limit} allowed"
    if count > limit:
        return "fail", counted
    if check.id == "INV-01" and new.top > _limit_of_top(compared, evidence, checks):
        many = f"of {new.top} of the {checks.top_skus} best sellers too many are offered"
        return "fail", f"{counted}, but {many}"
    if evidence.sample is not None and check.id in OF_STOCK:
        return _of_all(count, limit, evidence.sample, checks)
    return "pass", counted


def _limit(check: Check, compared: int, evidence: Evidence, checks: Checks) -> int:
    if not check.tolerated:
        return 0
    usual = _usual(check.id, evidence)
    limit = max(
        allowed(usual, compared, checks.floor), in_time(usual.keys, max(1, evidence.exposure))
    )
    if check.id == "INV-01":
        return max(limit, int(checks.drift_share * compared), ONE_SKU)
    stood = any(part.violating.get(check.id) for part in evidence.baseline)
    return max(limit, RULE_OF_THREE) if stood and check.id in BY_ORDER else limit


def _usual(check: str, evidence: Evidence) -> Usual:
    """What grows with the time since the opening was most, and fairly compared, in the end."""
    if check not in SINCE_OPENING:
        return evidence.usual.get(check, Usual())
    grown = max(1.0, evidence.exposure * (len(evidence.baseline) - 1))
    windows = [
        Usual(round(grown * part.violating.get(check, 0)), part.compared[check])
        for part in evidence.baseline
        if part.compared.get(check)
    ]
    return max(windows, key=lambda one: one.changing / one.compared, default=Usual())


def _limit_of_top(compared: int, evidence: Evidence, checks: Checks) -> int:
    return allowed(_usual("INV-01", evidence), min(checks.top_skus, compared), checks.floor)


def _of_all(violations: int, limit: int, sample: Sample, checks: Checks) -> tuple[Result, str]:
    """What a clean sample says about all SKUs: one that says too little is inconclusive."""
    most = at_most(violations, sample.drawn, sample.rest, checks.confidence_percent)
    bearable = max(limit, int(checks.drift_share * sample.rest))
    said = (
        f"{violations} of {len(sample.skus)} asked, so at most {most} of {sample.rest} others"
        f" at {checks.confidence_percent:g} % confidence, {bearable} allowed"
    )
    return ("inconclusive" if most > bearable else "pass"), said
