"""What ``shop.yaml`` describes: services, environments, channels, the route and its thresholds.

Standard-library dataclasses; ``blocks.shopfile`` validates a file into them with pydantic, which
reads the limits from the ``Range`` beside each field. The database has a room of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from domain.access.gateway import GatewaySettings
from domain.account import Channel
from domain.apitests.settings import ApiTests
from domain.approving.settings import Approving
from domain.calendar.settings import Calendar
from domain.checks.settings import Checks
from domain.contracts.settings import Contracts
from domain.drills.settings import Drills
from domain.fields import STRICT, Percent, Range, Seconds, Share, Weight
from domain.figures.settings import Figures
from domain.forge.settings import Forge
from domain.incidents.settings import Sentry
from domain.logs.settings import Logs
from domain.notices.settings import Notify
from domain.schema.settings import Migrations

MOST_STOP_SECONDS = 300
"""A host is asked to end a unit and waited for; nobody waits longer than this."""


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
    timeout_seconds: Annotated[float, Range(0.1, MOST_STOP_SECONDS)] = 30


@dataclass(frozen=True)
class Limits:
    """What a container may take at most; 0 means no limit."""

    __pydantic_config__ = STRICT
    memory_mb: Annotated[int, Range(0, 1_048_576)] = 0
    cpus: Annotated[float, Range(0, 1024)] = 0
    processes: Annotated[int, Range(0, 1_000_000)] = 0
    log_mb: Annotated[int, Range(1, 10_000)] = 10


@dataclass(frozen=True)
class Image:
    """How a service becomes a container: its Dockerfile, and what the container may do.

    The build's context has the service's ``paths``, and its locked requirements, installed, in
    ``.tradewind/site``, so that a build needs no package index. ``user`` is a name or UID[:GID] in
    the container, the image's own where it is empty.
    """

    __pydantic_config__ = STRICT
    dockerfile: str = "Dockerfile"
    arguments: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    read_only: bool = False
    networks: tuple[str, ...] = ()
    mounts: tuple[str, ...] = ()
    user: str = ""


@dataclass(frozen=True)
class Schedule:
    """When a job runs: five fields of cron in an IANA time zone, and how long it may take."""

    __pydantic_config__ = STRICT
    cron: str
    time_zone: str = "UTC"
    timeout_seconds: Seconds = 3600


@dataclass(frozen=True)
class Service:
    """One deployable: ``web`` gets traffic, a ``worker`` runs, a ``job`` runs on its schedule.

    One that is ``alone`` never runs twice; one with an ``image`` runs as a container. A connection
    to a web service is used again within ``idle_seconds``, for which it stays open; 0: never.
    """

    __pydantic_config__ = STRICT
    kind: Literal["web", "worker", "job"]
    paths: tuple[str, ...]
    command: tuple[str, ...]
    requirements: str
    test: Gate
    alone: bool = False
    image: Image | None = None
    schedule: Schedule | None = None
    sticky: bool = False
    idle_seconds: Annotated[float, Range(0, 86_400)] = 0
    health: Health = field(default_factory=Health)
    stop: Stop = field(default_factory=Stop)
    smoke: tuple[str, ...] = ()
    api: ApiTests | None = None
    max_error_rate: Share = 0.01
    environment: Mapping[str, str] = field(default_factory=dict)


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
class HotfixRules:
    """How much shorter a hotfix's way is: canary, looks at the channels; and its deadline."""

    __pydantic_config__ = STRICT
    weights: tuple[Weight, ...] = (25, 100)
    bake_seconds: Seconds = 30
    step_timeout_seconds: Seconds = 300
    windows: Annotated[int, Range(2, 96)] = 2
    deadline_seconds: Seconds = 1800


@dataclass(frozen=True)
class Host:
    """A machine that serves. ``local`` is this one, with a folder of its own.

    ``host_key`` is the only key that the host may show; ``jump`` names another host of the
    environment to go through; ``tools`` are paths of programs on it, found by name where not given.
    """

    __pydantic_config__ = STRICT
    name: str
    address: str = "local"
    port: Annotated[int, Range(1, 65_535)] = 22
    user: str = "tradewind"
    host_key: str = ""
    jump: str = ""
    proxy: Literal["envoy", "haproxy"] = "envoy"
    tools: Mapping[str, str] = field(default_factory=dict)
    engine: str = "/var/run/docker.sock"


@dataclass(frozen=True)
class Ssh:
    """How an environment's hosts are reached: one key for them all, and each step's deadline."""

    __pydantic_config__ = STRICT
    key: str
    connect_seconds: Seconds = 10
    step_seconds: Seconds = 60


Portion = str
"""A number of hosts (``"2"``) or a share of them (``"25%"``)."""


@dataclass(frozen=True)
class Rollout:
    """In which order hosts get a new version, and how many of them may be missing meanwhile.

    ``canary`` moves a weight on every host, ``canary-by-host`` and ``rolling`` move whole hosts,
    ``blue-green`` moves everything at once.
    """

    __pydantic_config__ = STRICT
    strategy: Literal["canary", "canary-by-host", "rolling", "blue-green"] = "canary"
    batch: Portion = "25%"
    max_unavailable: Portion = "0"


@dataclass(frozen=True)
class Registry:
    """Where images are kept; without one they go to the hosts over SSH, layer by layer."""

    __pydantic_config__ = STRICT
    address: str
    username: str = ""
    password: str = ""


@dataclass(frozen=True)
class Secrets:
    """``age_identity`` refers to what opens files that SOPS sealed; "" asks SOPS's own places."""

    __pydantic_config__ = STRICT
    age_identity: str = ""


@dataclass(frozen=True)
class Nightly:
    """What staging gets every night: the head of ``branch``, at ``cron`` in ``time_zone``."""

    __pydantic_config__ = STRICT
    branch: str = "develop"
    until: str = "staging"
    cron: str = "0 2 * * *"
    time_zone: str = "UTC"


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
    approvals: Approving = field(default_factory=Approving)
    approval_timeout_seconds: Seconds = 86_400
    hold_seconds: Seconds = 14_400
    lease_seconds: Annotated[float, Range(1, 3600)] = 30
    ssh: Ssh | None = None
    rollout: Rollout = field(default_factory=Rollout)


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
    builder: str = "unix:///var/run/docker.sock"
    registry: Registry | None = None
    nightly: Nightly | None = None
    contracts: Contracts | None = None
    hotfix: HotfixRules = field(default_factory=HotfixRules)
    secrets: Secrets = field(default_factory=Secrets)
    gateway: GatewaySettings | None = None
    calendar: Calendar | None = None
    forge: Forge | None = None
    notify: Notify | None = None
    logs: Logs | None = None
    drills: Drills | None = None
    figures: Figures = field(default_factory=Figures)
    sentry: Sentry | None = None
