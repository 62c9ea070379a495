"""One deployment under way: what every step of it needs, bundled once."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from blocks.hosts import Host
from blocks.ledger import Lease
from blocks.shop import Live
from domain.errors import Failed
from domain.host import Unit
from domain.journal import BACKWARD, Deployment, reached
from domain.manifest import Manifest, from_record
from domain.plan import Change, Plan, Serving, plan
from domain.shop import Environment

WAIT_MARGIN_SECONDS = 5.0


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
    def hosts(self) -> tuple[Host, ...]:
        return self.live.hosts(self.environment)

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

    def unit(self, change: Change) -> Unit:
        """The new version of a service as its host will run it."""
        declared = self.live.service(change.service)
        named = {
            "TRADEWIND_VERSION": change.after.version,
            "TRADEWIND_ENVIRONMENT": self.environment,
            "TRADEWIND_SERVICE": change.service,
        }
        return Unit(
            change.service,
            change.after.version,
            change.after.digest,
            change.kind,
            declared.command,
            {**self.live.variables(self.environment, change.service), **named},
            declared.stop,
        )


def scope_of(row: Deployment) -> str:
    return f"deployment:{row.id}"


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
    with live.ledger.exclusive(row.environment, owner, seconds, wait) as lease:
        yield Deploying(live, live.ledger.deployments.get(number), lease)
