"""What a drill came to against what was agreed, and what follows for production."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from domain.drills.settings import Agreed, Drills, Kind

Result = Literal["", "passed", "failed", "not possible"]
State = Literal["good", "overdue", "failed"]


@dataclass(frozen=True)
class Drill:
    """One drill in the ledger; ``result`` is "" while it is under way, times are in seconds."""

    id: int
    kind: Kind
    environment: str
    flow_run: str
    requested_by: str
    agreed_rto_seconds: float
    agreed_rpo_seconds: float
    result: Result
    reason: str
    rto_seconds: float | None
    rpo_seconds: float | None
    evidence: Mapping[str, Any]
    begun_at: datetime
    finished_at: datetime | None

    @property
    def agreed(self) -> Agreed:
        return Agreed(self.agreed_rto_seconds, self.agreed_rpo_seconds)


@dataclass(frozen=True)
class Measured:
    """What was seen: None for a time that did not come before the limit."""

    rto_seconds: float | None
    rpo_seconds: float | None = 0.0
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """How a drill ended; ``reason`` is empty for one that passed."""

    result: Result
    reason: str
    measured: Measured


def judged(measured: Measured, agreed: Agreed) -> Outcome:
    """Passed when both times are within what was agreed.

    >>> judged(Measured(12.0), Agreed(10)).reason
    'recovered after 12.0 s against 10 s'
    """
    against = tuple(_against(measured, agreed))
    return Outcome("failed" if against else "passed", "; ".join(against), measured)


def not_possible(reason: str) -> Outcome:
    """Nothing was tried, which is no pass."""
    return Outcome("not possible", reason, Measured(None, None))


def gone_wrong(reason: str) -> Outcome:
    """It was begun and could not be measured."""
    return Outcome("failed", reason, Measured(None, None))


def _against(measured: Measured, agreed: Agreed) -> Iterator[str]:
    for what, found, limit in (
        ("recovered after", measured.rto_seconds, agreed.rto_seconds),
        ("lost the work of", measured.rpo_seconds, agreed.rpo_seconds),
    ):
        if found is None:
            yield f"{what} an unknown time against {limit:g} s"
        elif found > limit:
            yield f"{what} {found:.1f} s against {limit:g} s"


def lost_seconds(
    markers: Sequence[tuple[float, bool]], rows_lost: int, backup_at: float, loss_at: float
) -> float:
    """How much work is missing after a restore, in seconds back from the loss.

    ``markers`` are orders of the drill's own, in the order in which they were written, each with
    its time and whether it is there again. Rows that are lost beside them may be as old as the
    backup.

    >>> lost_seconds([(10.0, True), (11.0, True)], 0, 5.0, 12.0)
    0.0
    >>> lost_seconds([(10.0, True), (11.0, False)], 0, 5.0, 12.0)
    2.0
    >>> lost_seconds([(10.0, True)], 3, 5.0, 12.0)
    7.0
    """
    if rows_lost:
        return max(0.0, loss_at - backup_at)
    kept = backup_at
    for written_at, there in markers:
        if not there:
            return max(0.0, loss_at - kept)
        kept = written_at
    return 0.0


@dataclass(frozen=True)
class Standing:
    """One kind now: the drill that passed last, the one that was tried last, when it is due."""

    kind: Kind
    state: State
    passed: Drill | None
    last: Drill | None
    due_at: datetime
    said: str


def standings(
    settings: Drills, drills: Sequence[Drill], since: datetime | None, now: datetime
) -> tuple[Standing, ...]:
    """Every kind that shop.yaml wants; ``drills`` newest first.

    ``since`` is when there was first something to drill: None, and nothing is due.
    """
    return tuple(_standing(settings, kind, drills, since or now, now) for kind in settings.kinds)


def _standing(
    settings: Drills, kind: Kind, drills: Sequence[Drill], since: datetime, now: datetime
) -> Standing:
    own = [one for one in drills if one.kind == kind and one.result]
    passed = next((one for one in own if one.result == "passed"), None)
    conclusive = next((one for one in own if one.result != "not possible"), None)
    last = next(iter(own), None)
    due_at = _due(passed, since, settings.overdue_days)
    if conclusive and conclusive.result == "failed":
        said = f"the drill {kind!r} failed last: {conclusive.reason}"
        return Standing(kind, "failed", passed, last, due_at, said)
    if now > due_at:
        said = _overdue(kind, passed, last, due_at, settings.overdue_days)
        return Standing(kind, "overdue", passed, last, due_at, said)
    return Standing(kind, "good", passed, last, due_at, "")


def _due(passed: Drill | None, since: datetime, days: int) -> datetime:
    begun = passed.begun_at if passed else since
    return begun + timedelta(days=days)


def _overdue(
    kind: Kind, passed: Drill | None, last: Drill | None, due_at: datetime, days: int
) -> str:
    when = f"passed on {passed.begun_at:%Y-%m-%d}" if passed else "never passed"
    tried = last is not None and last.result == "not possible"
    why = f", and was not possible: {last.reason}" if last and tried else ""
    return f"the drill {kind!r} {when}{why}; it was due on {due_at:%Y-%m-%d}, every {days} days"


def warnings(settings: Drills, found: Sequence[Standing]) -> tuple[str, ...]:
    """What is told about production and stops nothing."""
    return tuple(one.said for one in found if _rule(settings, one) == "warn")


def refusals(settings: Drills, found: Sequence[Standing]) -> tuple[str, ...]:
    """What stops a release before production."""
    return tuple(one.said for one in found if _rule(settings, one) == "refuse")


def _rule(settings: Drills, standing: Standing) -> str:
    rules = {"good": "", "overdue": settings.overdue, "failed": settings.failed}
    return rules[standing.state]
