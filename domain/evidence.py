"""What a service's own tests showed, and whether that is enough."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from domain.digest import digest_of
from domain.shop import Gate


@dataclass(frozen=True)
class Counted:
    """What JUnit's and the coverage tool's reports say; ``coverage_percent`` None without one."""

    tests: int = 0
    failures: int = 0
    errors: int = 0
    skipped: int = 0
    coverage_percent: float | None = None

    @property
    def executed(self) -> int:
        return self.tests - self.skipped


@dataclass(frozen=True)
class Ended:
    """How the test command ended; ``exit_code`` is None when it ran into the limit."""

    exit_code: int | None
    seconds: float


@dataclass(frozen=True)
class Evidence:
    """One service's gate in one release; passed when ``reasons`` is empty."""

    service: str
    source_digest: str
    requirements_digest: str
    counted: Counted
    ended: Ended
    reasons: tuple[str, ...]
    log: str

    @property
    def digest(self) -> str:
        return digest_of(asdict(self))


def from_record(record: Mapping[str, Any]) -> Evidence:
    """The inverse of ``dataclasses.asdict``."""
    return Evidence(
        **{
            **record,
            "counted": Counted(**record["counted"]),
            "ended": Ended(**record["ended"]),
            "reasons": tuple(record["reasons"]),
        }
    )


def failings(gate: Gate, counted: Counted, ended: Ended) -> tuple[str, ...]:
    """Why a gate did not pass: what, how much, and the limit."""
    return (*_bad_end(gate, ended), *_bad_count(counted), *_bad_coverage(gate, counted))


def _bad_end(gate: Gate, ended: Ended) -> tuple[str, ...]:
    if ended.exit_code is None:
        limit = gate.timeout_seconds
        return (f"the tests hung: ended after {ended.seconds:.1f} s, limit {limit:g} s",)
    return (f"the test command ended with {ended.exit_code}",) if ended.exit_code else ()


def _bad_count(counted: Counted) -> tuple[str, ...]:
    bad = counted.failures + counted.errors
    none = ("no test was executed, at least 1 must be",) if counted.executed < 1 else ()
    return (*none, *((f"{bad} of {counted.tests} tests failed",) if bad else ()))


def _bad_coverage(gate: Gate, counted: Counted) -> tuple[str, ...]:
    least, seen = gate.min_coverage_percent, counted.coverage_percent
    if not least or (seen is not None and seen >= least):
        return ()
    shown = "not measured" if seen is None else f"{seen:.2f} %"
    return (f"coverage is {shown} against {least:.2f} %",)
