"""What a judgement is made of, and what it comes to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from domain.checks.catalogue import Severity
from domain.checks.looks import Divergence, Look, Measures, New, Part, Usual
from domain.checks.sampling import Sample

Result = Literal["pass", "fail", "inconclusive", "off"]
Number = TypeVar("Number")


@dataclass(frozen=True)
class Evidence:
    """What is known of one channel (or of ``ALL``) around one release.

    ``baseline`` are the windows before, ``first`` the look after the settle window, ``again`` the
    one a window later (the same where the first saw nothing), ``new`` what began after the baseline
    and was seen by both. ``history`` are parts of older looks: how large a number usually is.
    ``sample`` says how the SKUs were chosen, None when all were asked for; ``exposure`` is the time
    from the baseline's end to ``again`` as a multiple of the baseline's own.
    """

    channel: str
    baseline: tuple[Part, ...]
    first: Part
    again: Part
    new: Mapping[str, New] = field(default_factory=dict)
    usual: Mapping[str, Usual] = field(default_factory=dict)
    history: tuple[Part, ...] = ()
    sample: Sample | None = None
    exposure: float = 1

    @property
    def unknown(self) -> str:
        """Why nothing may be concluded from rows, "" when it may."""
        return self.again.unknown or self.first.unknown

    def after(self, what: Callable[[Measures], Number | None]) -> tuple[Number, ...]:
        """A number of the first look and of the one after it, where they measured it."""
        return measured((self.first, self.again), what)

    def before(self, what: Callable[[Measures], Number | None]) -> tuple[Number, ...]:
        return measured(self.baseline, what)


@dataclass(frozen=True)
class Outcome:
    """What one check of one channel came to; ``rows`` are the new violations, at most 200."""

    channel: str
    check: str
    severity: Severity
    result: Result
    detail: str
    rows: tuple[Divergence, ...] = ()


def exposure(baseline: Sequence[Look], again: Look) -> float:
    """How much longer than the baseline the time since it is; 1 where the baseline is one look."""
    before = (baseline[-1].at - baseline[0].at).total_seconds()
    return (again.at - baseline[-1].at).total_seconds() / before if before else 1.0


def measured(
    parts: tuple[Part, ...], what: Callable[[Measures], Number | None]
) -> tuple[Number, ...]:
    """One number of every part that has it, in their order."""
    return tuple(one for part in parts if (one := what(part.measures)) is not None)
