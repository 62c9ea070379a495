"""What runs on a host, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from domain.shop import Limits, Stop


@dataclass(frozen=True)
class Unit:
    """One version of one service, ready to run: its environment has every reference resolved."""

    service: str
    version: str
    digest: str
    kind: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    stop: Stop
    runtime: Literal["process", "docker"] = "process"
    sticky: bool = False
    idle_seconds: float = 0
    limits: Limits = field(default_factory=Limits)
    read_only: bool = False
    networks: tuple[str, ...] = ()
    mounts: tuple[str, ...] = ()
    user: str = ""

    @property
    def name(self) -> str:
        return unit_name(self.service, self.version)


def unit_name(service: str, version: str) -> str:
    return f"{service}@{version}"


@dataclass(frozen=True)
class Running:
    """A unit as found: supervisord's state, the worker's role, the weight in percent."""

    service: str
    version: str
    digest: str
    kind: str
    port: int
    state: str
    role: str
    weight: int


@dataclass(frozen=True)
class Observed:
    """A host as found; ``listeners`` maps each web service to its port, ``epoch`` is the fence."""

    units: Mapping[str, Running]
    listeners: Mapping[str, int]
    epoch: int


@dataclass(frozen=True)
class Facts:
    """What a host is: versions ("" where a thing is missing), free disk, and its clock.

    ``clock_offset_seconds`` is the host's clock less ours, to within half a round trip.
    """

    name: str
    python: str
    kernel: str
    architecture: str
    engine: str
    proxy: str
    supervisor: str
    agent: str
    disk_free_bytes: int
    clock_offset_seconds: float


@dataclass(frozen=True)
class Output:
    """Lines that a unit wrote, each with its time or "", and where to read on.

    ``lost``: some were gone before they were read. ``at`` is when the newest was written, in
    seconds since 1970.
    """

    lines: tuple[tuple[str, str], ...]
    cursor: Any
    more: bool
    lost: bool
    at: float


@dataclass(frozen=True)
class Served:
    """What one version answered; an error of a session counts once in ``first_errors``."""

    requests: int = 0
    errors: int = 0
    first_errors: int = 0
    slow: int = 0
    p95_ms: float = 0


@dataclass(frozen=True)
class Counts:
    """Per version since a cursor, and where the next look may begin."""

    cursor: int
    arms: Mapping[str, Served]

    def of(self, version: str) -> Served:
        return self.arms.get(version, Served())
