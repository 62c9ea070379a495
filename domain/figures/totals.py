"""What is counted for as long as there is a ledger: for monitoring, which takes differences."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Ended:
    """How many deployments of a kind are in a state; one that is final stays there."""

    environment: str
    kind: str
    state: str
    times: int


@dataclass(frozen=True)
class Histogram:
    """Of one environment: ``counts`` up to each bound and, at the end, of all; seconds' sum.

    >>> list(Histogram("staging", (60.0, 600.0), (2, 3, 6), 9000.0).buckets)
    [('60.0', 2.0), ('600.0', 3.0), ('+Inf', 6.0)]
    """

    environment: str
    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    seconds: float

    @property
    def buckets(self) -> Sequence[tuple[str, float]]:
        """As Prometheus names them."""
        names = (*map(str, self.bounds), "+Inf")
        return [(name, float(count)) for name, count in zip(names, self.counts, strict=True)]


@dataclass(frozen=True)
class Drilled:
    """A kind of drill, and when it last passed."""

    environment: str
    kind: str
    passed_at: datetime


@dataclass(frozen=True)
class Totals:
    """Of all time."""

    ended: tuple[Ended, ...] = ()
    lead: tuple[Histogram, ...] = ()
    recovery: tuple[Histogram, ...] = ()
    drilled: tuple[Drilled, ...] = ()
