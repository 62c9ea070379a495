"""One deployment under way: what every step of it needs, bundled once."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

from blocks.hosts import Host, Parcel
from blocks.ledger import Lease
from blocks.logs import labelled
from blocks.shop import Live
from domain.checks.settings import Checks
from domain.errors import Failed
from domain.host import Unit
from domain.hotfix import Hotfix, shortened
from domain.journal import BACKWARD, Deployment, reached
from domain.manifest import Manifest, from_record
from domain.plan import Plan, Serving, plan
from domain.shop import Canary, Environment

WAIT_MARGIN_SECONDS = 5.0
WITHOUT = "without "
FIRST_STEP = "prepare hosts"
"""The first one that changes anything outside the ledger."""


class Deploying:
    """A release on its way into one environment, under a lease.

    A plain class on purpose: Prefect looks into dataclasses given to tasks, and need not here.
    """

    def __init__(self, live: Live, row: Deployment, lease: Lease) -> None:
        self.live = live
        self.row = row
        self.lease = lease
        self.journal = live.ledger.journal(scope_of(row), lease)
        self.manifest: Manifest = manifest_of(live, row.version)
        self.hotfix: Hotfix | None = live.ledger.hotfixes.of(row.version)
        self.clock: UUID | None = None
        """The artifact that shows a hotfix's deadline."""

    @property
    def approved_as_a_whole(self) -> bool:
        """Whether a person has to approve it even where the schema stays as it is."""
        last = self.environment == self.live.shop.route[-1]
        return self.declared.approvals.releases == "always" or (last and self.hotfix is not None)

    @property
    def canary(self) -> Canary | None:
        """The environment's, shortened for a hotfix."""
        declared = self.declared.canary
        if declared is None or self.hotfix is None:
            return declared
        return shortened(declared, self.live.shop.hotfix)

    @property
    def checks(self) -> Checks | None:
        """The environment's, with fewer looks for a hotfix."""
        declared = self.declared.checks
        if declared is None or self.hotfix is None:
            return declared
        return replace(declared, windows=min(declared.windows, self.live.shop.hotfix.windows))

    @property
    def declared(self) -> Environment:
        return self.live.environment(self.row.environment)

    @property
    def environment(self) -> str:
        return self.row.environment

    @property
    def epoch(self) -> int:
        return self.lease.epoch

    @property
    def host_names(self) -> tuple[str, ...]:
        """Of every host, also of those that are away."""
        return tuple(host.name for host in self.live.hosts(self.environment))

    @property
    def missing(self) -> dict[str, str]:
        """Hosts that were left out of this deployment, by whichever executor, each with why."""
        steps = self.live.ledger.steps(scope_of(self.row))
        return {
            step.name.removeprefix(WITHOUT): str(step.outcome.get("reason", "away"))
            for step in steps
            if step.name.startswith(WITHOUT)
        }

    @property
    def hosts(self) -> tuple[Host, ...]:
        """Those that are part of it, in the order of shop.yaml; the first one has single work."""
        missing = self.missing
        return tuple(host for host in self.live.hosts(self.environment) if host.name not in missing)

    @property
    def plan(self) -> Plan:
        """From what served when this deployment was opened, so that a resume plans the same."""
        before = {name: Serving(**serving) for name, serving in self.row.previous.items()}
        return plan(self.manifest, self.environment, before)

    def step(self, name: str, act: Callable[[], Mapping[str, Any]]) -> dict[str, Any]:
        """Done once; the recorded outcome when it was done before."""
        return self.journal.once(name, act)

    def outcome(self, name: str) -> dict[str, Any]:
        """Of a step that is done; empty when it is not."""
        found = self.journal.find(name)
        return dict(found.outcome) if found and found.status == "done" else {}

    @property
    def begun(self) -> bool:
        """Whether a host was touched: a state says only what customers might see."""
        return self.journal.find(FIRST_STEP) is not None

    @property
    def state(self) -> str:
        """As the ledger has it now."""
        return self.live.ledger.deployments.get(self.row.id).state

    def advance(self, state: str, reason: str = "") -> None:
        """To the next state; one that was reached before, by whichever executor, stays."""
        if reached(self.state, state):
            return
        self.live.ledger.deployments.advance(self.row.id, state, self.lease, reason)

    def only_forward(self) -> None:
        """A deployment that an earlier executor began to take back is never carried forward."""
        now = self.live.ledger.deployments.get(self.row.id)
        if now.state in BACKWARD:
            raise Failed(now.reason)


def unit_of(live: Live, environment: str, service: str, serving: Serving) -> Unit:
    """One version of a service as a host of that environment will run it."""
    declared = live.service(service)
    image = declared.image
    named = {
        "TRADEWIND_VERSION": serving.version,
        "TRADEWIND_ENVIRONMENT": environment,
        "TRADEWIND_SERVICE": service,
    }
    unit = Unit(
        service,
        serving.version,
        serving.digest,
        declared.kind,
        declared.command,
        {**reporting(live, service, serving, environment), **named},
        declared.stop,
        sticky=declared.sticky,
        idle_seconds=declared.idle_seconds,
    )
    if image is None:
        return unit
    return replace(
        unit,
        runtime="docker",
        limits=image.limits,
        read_only=image.read_only,
        networks=image.networks,
        mounts=image.mounts,
        user=image.user,
    )


def reporting(live: Live, service: str, serving: Serving, environment: str) -> dict[str, str]:
    """The service's variables, and where its errors go unless it says so itself."""
    tracker = live.incidents
    told = tracker.variables(service, serving.version, environment) if tracker else {}
    return {**told, **live.variables(environment, service)}


def parcel_of(live: Live, service: str, serving: Serving) -> Parcel:
    """What a host is sent to have this version: of the release that first carried its digest."""
    part = manifest_of(live, serving.version).part(service)
    reference = part.reference if part else ""
    return live.parcel(service, serving.digest, reference)


def scope_of(row: Deployment) -> str:
    return f"deployment:{row.id}"


def scope_of_correction(row: Deployment) -> str:
    """Of what is made good after it was taken back."""
    return f"make good:{row.id}"


def manifest_of(live: Live, version: str) -> Manifest:
    """The recorded manifest; Refused when the release was never built."""
    return from_record(live.ledger.releases.manifest(version))


def executor(flow_run: str) -> str:
    """Unique for each process that runs a flow run: two of the same are two owners."""
    return f"{flow_run}/{uuid4().hex[:8]}"


@contextmanager
def deploying(live: Live, number: int, owner: str) -> Iterator[Deploying]:
    """Under the environment's lease: strict, renewed while alive, waited for at most a term."""
    row = live.ledger.deployments.get(number)
    seconds = live.environment(row.environment).lease_seconds
    wait = seconds + WAIT_MARGIN_SECONDS
    about = labelled(release=row.version, deployment=str(row.id), environment=row.environment)
    with about, live.ledger.exclusive(row.environment, owner, seconds, wait) as lease:
        yield Deploying(live, live.ledger.deployments.get(number), lease)
