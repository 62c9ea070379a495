"""What ``shop.yaml`` describes: services, environments, channels, the route and its thresholds.

Standard-library dataclasses; ``blocks.shopfile`` validates a file into them with pydantic, which
reads the limits from the ``Range`` beside each field.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal


@dataclass(frozen=True)
class Range:
    """Smallest and largest value a field may have, both included; pydantic reads it."""

    ge: float
    le: float

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Any]) -> Any:
        return {**handler(source), "ge": self.ge, "le": self.le}


STRICT = {"extra": "forbid"}
Seconds = Annotated[float, Range(0.1, 86_400)]
Percent = Annotated[float, Range(0, 100)]
Share = Annotated[float, Range(0, 1)]
Weight = Annotated[int, Range(1, 100)]


@dataclass(frozen=True)
class Gate:
    """A service's own tests, run in its own environment."""

    __pydantic_config__ = STRICT
    command: tuple[str, ...]
    requirements: str
    timeout_seconds: Seconds = 300
    min_coverage_percent: Percent = 0


@dataclass(frozen=True)
class Health:
    """How a started unit proves that it works: ``path`` answers 200."""

    __pydantic_config__ = STRICT
    path: str = "/health"
    timeout_seconds: Seconds = 30


@dataclass(frozen=True)
class Stop:
    """The service's own way to stop: its signal, and how long it may take."""

    __pydantic_config__ = STRICT
    signal: Literal["TERM", "INT", "QUIT"] = "TERM"
    timeout_seconds: Seconds = 30


@dataclass(frozen=True)
class Service:
    """One deployable: ``web`` gets traffic, a ``worker`` runs, one ``alone`` never runs twice."""

    __pydantic_config__ = STRICT
    kind: Literal["web", "worker"]
    paths: tuple[str, ...]
    command: tuple[str, ...]
    requirements: str
    test: Gate
    alone: bool = False
    health: Health = field(default_factory=Health)
    stop: Stop = field(default_factory=Stop)
    smoke: tuple[str, ...] = ()
    max_error_rate: Share = 0.01
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Migrations:
    """Where the schema's migrations live and whose environment runs them."""

    __pydantic_config__ = STRICT
    path: str
    service: str
    migrator: Literal["alembic"] = "alembic"
    lock_timeout_ms: Annotated[int, Range(10, 10_000)] = 200
    attempts: Annotated[int, Range(1, 200)] = 30
    statement_timeout_seconds: Seconds = 60


@dataclass(frozen=True)
class Canary:
    """How traffic moves: the weights, what a verdict needs, and how long it may take."""

    __pydantic_config__ = STRICT
    weights: tuple[Weight, ...] = (1, 10, 50, 100)
    alpha: Annotated[float, Range(0.0001, 0.1)] = 0.01
    step_timeout_seconds: Seconds = 1800
    bake_seconds: Seconds = 60
    poll_seconds: Seconds = 1
    slow_floor_ms: Annotated[float, Range(0, 60_000)] = 0
    hard_guard_failures: Annotated[int, Range(1, 1000)] = 5
    hard_guard_requests: Annotated[int, Range(1, 100_000)] = 50
    drain_seconds: Seconds = 60


@dataclass(frozen=True)
class Checks:
    """Stock and orders after a deployment: windows in seconds, tolerances in units or shares."""

    __pydantic_config__ = STRICT
    settle_seconds: Seconds = 900
    timeout_seconds: Seconds = 1800
    baseline_windows: Annotated[int, Range(1, 96)] = 3
    stock_tolerance_units: Annotated[int, Range(0, 100_000)] = 0
    stock_tolerance_share: Share = 0
    floor: Annotated[int, Range(0, 100_000)] = 0
    stock: str = ""
    orders: str = ""
    lines: str = ""
    movements: str = ""


@dataclass(frozen=True)
class Channel:
    """One marketplace account; secrets are references (``${env:NAME}``, ``${file:PATH}``)."""

    __pydantic_config__ = STRICT
    kind: Literal["amazon"]
    marketplace: str
    endpoint: str
    token_endpoint: str
    client_id: str
    client_secret: str
    refresh_token: str


@dataclass(frozen=True)
class Host:
    """A machine that serves. ``local`` is this one, with a folder of its own."""

    __pydantic_config__ = STRICT
    name: str
    address: Literal["local"] = "local"


@dataclass(frozen=True)
class Environment:
    """Hosts, database, channels and protections of one place a release goes to."""

    __pydantic_config__ = STRICT
    hosts: tuple[Host, ...]
    database: str = "embedded"
    canary: Canary | None = None
    checks: Checks | None = None
    channels: Mapping[str, Channel] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    approve_schema: bool = False
    approval_timeout_seconds: Seconds = 86_400
    lease_seconds: Annotated[float, Range(1, 3600)] = 30


@dataclass(frozen=True)
class Shop:
    """The whole file."""

    __pydantic_config__ = STRICT
    shop: str
    repository: str
    route: tuple[str, ...]
    services: Mapping[str, Service]
    environments: Mapping[str, Environment]
    migrations: Migrations | None = None
    branch: str = "main"
