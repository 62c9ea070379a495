"""Quarantine in the ledger: digests that a verdict or a check blamed, and why."""

from collections.abc import Mapping

from blocks.ledger.leases import Lease, guard
from blocks.ledger.store import Store


class Quarantine:
    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, digests: Mapping[str, str], reason: str, lease: Lease) -> None:
        """``digests`` maps each blamed artifact to the version that first carried it."""
        with self._store.writing("quarantine", lease.owner) as writer:
            guard(writer, lease)
            for digest, version in digests.items():
                writer.put("quarantine", {"digest": digest, "version": version, "reason": reason})

    def reasons(self) -> dict[str, str]:
        """Digest to reason."""
        rows = self._store.rows("SELECT digest, version, reason FROM quarantine")
        return {row["digest"]: f"{row['version']}: {row['reason']}" for row in rows}
