"""The verdict on a candidate's errors: new kinds of them, too many of them, or nothing known."""

from collections.abc import Iterator
from dataclasses import dataclass

from domain.canary import METRICS, WORSE, Verdict, e_value
from domain.host import Served
from domain.incidents.release import Issue

MOST_NAMED = 3


@dataclass(frozen=True)
class Limits:
    """Of one look; ``error_events`` None sets none, ``alpha`` is the canary's."""

    new_issues: int
    error_events: int | None
    alpha: float


@dataclass(frozen=True)
class Seen:
    """One look: issues first seen in the candidate, and the error events of both versions.

    ``proven``: an event that was sent after the last request has arrived, so that no events means
    no errors. ``problem`` says why nothing is known, "" when something is.
    """

    new_issues: tuple[Issue, ...] = ()
    candidate: int = 0
    baseline: int = 0
    proven: bool = False
    problem: str = ""


def judge(seen: Seen, served: tuple[Served, Served], limits: Limits) -> Verdict:
    """*restore* for what was seen; *promote* only when nothing was and an event has arrived.

    ``served`` are the requests of candidate and baseline; without any, they are not compared.
    """
    against = (*_new(seen, limits), *_too_many(seen, limits), *_worse(seen, served, limits))
    if against:
        return Verdict("restore", against)
    if seen.problem:
        return Verdict("inconclusive", (f"errors unknown: {seen.problem}",))
    if not seen.proven:
        return Verdict("inconclusive", ("errors unknown: no event of this release has arrived",))
    return Verdict("promote", (_shown(seen),))


def joined(canary: Verdict, errors: Verdict, required: bool) -> Verdict:
    """Both must promote; what is unknown of errors only warns unless it is ``required``.

    >>> unknown = Verdict("inconclusive", ("errors unknown: away",))
    >>> joined(Verdict("promote", ("clean",)), unknown, required=False).decision
    'promote'
    """
    if "restore" in (canary.decision, errors.decision):
        blamed = [one.reasons for one in (errors, canary) if one.decision == "restore"]
        return Verdict("restore", tuple(reason for reasons in blamed for reason in reasons))
    reasons = (*canary.reasons, *errors.reasons)
    if canary.decision == "promote" and errors.decision == "inconclusive" and required:
        return Verdict("inconclusive", reasons)
    return Verdict(canary.decision, reasons)


def _new(seen: Seen, limits: Limits) -> Iterator[str]:
    count = len(seen.new_issues)
    if count <= limits.new_issues:
        return
    named = [f"{one.title} ({one.events} events, {one.link})" for one in seen.new_issues]
    more = [f"and {count - MOST_NAMED} more"] if count > MOST_NAMED else []
    shown = ", ".join((*named[:MOST_NAMED], *more))
    yield f"{count} new issues against {limits.new_issues}: {shown}"


def _too_many(seen: Seen, limits: Limits) -> Iterator[str]:
    if limits.error_events is not None and seen.candidate > limits.error_events:
        yield f"error events {seen.candidate} against {limits.error_events}"


def _worse(seen: Seen, served: tuple[Served, Served], limits: Limits) -> Iterator[str]:
    """As the canary's own counts are compared: events of known kinds over requests."""
    candidate, baseline = served
    value = e_value((seen.candidate, candidate.requests), (seen.baseline, baseline.requests), WORSE)
    limit = METRICS / limits.alpha
    if value >= limit:
        yield f"{_shown(seen)}, e-value {value:.0f} against {limit:.0f}"


def _shown(seen: Seen) -> str:
    return f"error events {seen.candidate}, of the version before {seen.baseline}"
