"""Do stock and orders still agree with the marketplaces: what a comparison's violations mean."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Severity = Literal["critical", "validity"]


@dataclass(frozen=True)
class Check:
    """One check of the catalogue; ``title`` is what a person reads."""

    id: str
    title: str
    severity: Severity


CHECKS = (
    Check("INV-01", "stock drifts from the channel", "critical"),
    Check("INV-03", "negative stock", "critical"),
    Check("INV-04", "sold out here, for sale there", "critical"),
    Check("INV-07", "stock moved otherwise than orders explain", "critical"),
    Check("ORD-01", "channel order missing here", "critical"),
    Check("ORD-02", "order twice here", "critical"),
    Check("ORD-04", "money differs", "critical"),
    Check("ORD-05", "lines differ", "critical"),
    Check("PAG-01", "the channel's answer is not whole", "validity"),
)


@dataclass(frozen=True)
class Look:
    """One comparison: per check how many keys were compared and which violate it, with details.

    ``unknown`` says why nothing may be concluded (a page missing, a call refused); "" when whole.
    ``units`` is by how many units stock disagrees in all.
    """

    compared: Mapping[str, int]
    violations: Mapping[str, Mapping[str, str]]
    units: int
    unknown: str = ""


@dataclass(frozen=True)
class Outcome:
    """What one check came to; ``detail`` names keys, amounts and limits."""

    check: str
    result: Literal["pass", "fail", "inconclusive"]
    detail: str


def judged(baseline: Sequence[Look], first: Look, again: Look, floor: int) -> tuple[Outcome, ...]:
    """Only violations that are new since the baseline and outlast the settle window fail."""
    return tuple(_judged(check, baseline, first, again, floor) for check in CHECKS)


def _judged(
    check: Check, baseline: Sequence[Look], first: Look, again: Look, floor: int
) -> Outcome:
    unknown = first.unknown or again.unknown
    if check.severity == "validity":
        return Outcome(check.id, "inconclusive" if unknown else "pass", unknown or "whole")
    if unknown:
        return Outcome(check.id, "inconclusive", unknown)
    compared = again.compared.get(check.id, 0)
    if compared == 0 and _expected(check, baseline):
        return Outcome(check.id, "inconclusive", "nothing was compared, something was before")
    known = {key for look in baseline for key in look.violations.get(check.id, {})}
    seen, still = first.violations.get(check.id, {}), again.violations.get(check.id, {})
    new = {key: why for key, why in still.items() if key in seen and key not in known}
    limit = allowed(check.id, baseline, compared, floor)
    counted = f"{len(new)} of {compared} new, {limit} allowed"
    if len(new) > limit:
        shown = "; ".join(f"{key}: {why}" for key, why in list(new.items())[:5])
        return Outcome(check.id, "fail", f"{check.title}: {counted} ({shown})")
    return Outcome(check.id, "pass", counted)


def _expected(check: Check, baseline: Sequence[Look]) -> bool:
    return any(look.compared.get(check.id, 0) for look in baseline)


def allowed(check: str, baseline: Sequence[Look], compared: int, floor: int) -> int:
    """max(floor, B·n + 3·sqrt(B(1−B)·n)) of the baseline's rate B of *changing* violations.

    Violations that stood in every window are known by key and are not counted again.
    """
    sets = [set(look.violations.get(check, {})) for look in baseline]
    steady = set.intersection(*sets) if sets else set()
    seen = sum(len(one - steady) for one in sets)
    total = sum(look.compared.get(check, 0) for look in baseline)
    rate = seen / total if total else 0.0
    spread = 3 * math.sqrt(rate * (1 - rate) * compared)
    return max(floor, math.floor(rate * compared + spread))


def verdict(outcomes: Sequence[Outcome]) -> Literal["pass", "fail", "inconclusive"]:
    """A failure outweighs what is unknown; unknown is never a pass."""
    results = {outcome.result for outcome in outcomes}
    if "fail" in results:
        return "fail"
    return "inconclusive" if "inconclusive" in results else "pass"
