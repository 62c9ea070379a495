"""One deployment under way: what every step of it needs, bundled once."""

from collections.abc import Iterator
from contextlib import contextmanager

from blocks.hosts import Host
from blocks.ledger import Exclusive, exclusive
from blocks.shop import Live
from domain.journal import Deployment
from domain.manifest import Manifest, from_record
from domain.plan import Plan, Serving, plan


class Deploying:
    """A release on its way into one environment, under a lease.

    A plain class on purpose: Prefect looks into dataclasses given to tasks, and need not here.
    """

    def __init__(self, live: Live, row: Deployment, lease: Exclusive) -> None:
        self.live = live
        self.row = row
        self.lease = lease
        self.journal = live.ledger.journal(f"deployment:{row.id}", lease)
        self.manifest: Manifest = manifest_of(live, row.version)

    @property
    def environment(self) -> str:
        return self.row.environment

    @property
    def version(self) -> str:
        return self.row.version

    @property
    def hosts(self) -> tuple[Host, ...]:
        return self.live.hosts(self.environment)

    @property
    def plan(self) -> Plan:
        """From what served when this deployment was opened, so that a resume plans the same."""
        before = {name: Serving(**serving) for name, serving in self.row.previous.items()}
        return plan(self.manifest, self.environment, before)

    def advance(self, state: str, reason: str = "") -> None:
        self.live.ledger.deployments.advance(self.row.id, state, self.lease.epoch, reason)


def manifest_of(live: Live, version: str) -> Manifest:
    """The recorded manifest; Refused when the release was never built."""
    return from_record(live.ledger.releases.manifest(version))


@contextmanager
def deploying(live: Live, row: Deployment, owner: str) -> Iterator[Deploying]:
    """Under the environment's lease: strict, renewed while alive, waited for no longer than a term."""
    seconds = live.environment(row.environment).lease_seconds
    with exclusive(live.ledger, row.environment, owner, seconds, wait_seconds=seconds + 5) as lease:
        yield Deploying(live, row, lease)
