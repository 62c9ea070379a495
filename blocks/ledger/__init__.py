"""The ledger: the truth about releases, in a PostgreSQL of its own."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from blocks.ledger.approvals import Approvals
from blocks.ledger.audit import Audit, verified
from blocks.ledger.deployments import Deployments
from blocks.ledger.drills import Drills
from blocks.ledger.findings import Findings
from blocks.ledger.history import Past
from blocks.ledger.hotfixes import Hotfixes
from blocks.ledger.leases import Lease, Leases, exclusive
from blocks.ledger.migrate import upgrade
from blocks.ledger.overrides import Overrides
from blocks.ledger.overview import Overview
from blocks.ledger.pauses import Pauses
from blocks.ledger.quarantine import Quarantine
from blocks.ledger.releases import Cut, Releases
from blocks.ledger.steps import Journal, steps_of
from blocks.ledger.store import Observer, Store
from domain.audit import Head
from domain.journal import Step

__all__ = ["Cut", "Journal", "Lease", "Ledger"]


class Ledger:
    """One room per kind of row; all writes pass ``Store``."""

    def __init__(self, url: str, on_write: Observer | None = None) -> None:
        self.url = url
        self._store = Store(url, on_write)
        self.releases = Releases(self._store)
        self.deployments = Deployments(self._store)
        self.approvals = Approvals(self._store)
        self.quarantine = Quarantine(self._store)
        self.pauses = Pauses(self._store)
        self.findings = Findings(self._store)
        self.leases = Leases(self._store)
        self.hotfixes = Hotfixes(self._store)
        self.overrides = Overrides(self._store)
        self.drills = Drills(self._store)
        self.overview = Overview(self._store)
        self.past = Past(self._store)
        self.audit = Audit(self._store)

    def migrate(self) -> None:
        """Brings the ledger's own schema to the newest; several may call it at once."""
        upgrade(self.url)

    def journal(self, scope: str, lease: Lease) -> Journal:
        return Journal(self._store, scope, lease)

    def steps(self, scope: str) -> tuple[Step, ...]:
        """In the order they began."""
        return steps_of(self._store, scope)

    def verify(self, older: Iterable[Head] = ()) -> tuple[str, ...]:
        """Every changed, missing, added or reordered row; empty when all is well.

        ``older`` are ends that the audit once had.
        """
        return verified(self._store, older)

    @contextmanager
    def exclusive(
        self, name: str, owner: str, seconds: float, wait_seconds: float
    ) -> Iterator[Lease]:
        """Inside, nobody else has ``name``; Fenced when it is not free in time."""
        with exclusive(self.leases, name, owner, seconds, wait_seconds) as lease:
            yield lease
