"""Drills in the ledger: begun, and what each came to; the first end stays."""

from dataclasses import dataclass

from blocks.ledger.leases import Lease, guard
from blocks.ledger.store import Row, Store
from domain.drills.judgement import Drill, Outcome
from domain.drills.settings import Agreed, Kind


@dataclass(frozen=True)
class Wanted:
    """One drill that a flow run is about to begin."""

    kind: Kind
    environment: str
    flow_run: str
    requested_by: str
    agreed: Agreed


class Drills:
    def __init__(self, store: Store) -> None:
        self._store = store

    def open(self, wanted: Wanted, lease: Lease) -> Drill:
        """The flow run's drill of that kind; asked again, the same one."""
        known = self._where("flow_run = %s AND kind = %s", wanted.flow_run, wanted.kind)
        if known:
            return known[0]
        with self._store.writing(f"drill: {wanted.kind}", wanted.requested_by) as writer:
            guard(writer, lease)
            number = writer.row("SELECT nextval('drills_id_seq') AS id")
            assert number is not None
            asked = {
                **number, "kind": wanted.kind, "environment": wanted.environment,
                "flow_run": wanted.flow_run, "requested_by": wanted.requested_by,
                "agreed_rto_seconds": wanted.agreed.rto_seconds,
                "agreed_rpo_seconds": wanted.agreed.rpo_seconds, "begun_at": writer.now(),
            }  # fmt: skip
            return _drill(writer.put("drills", asked))

    def finish(self, number: int, outcome: Outcome, lease: Lease) -> Drill:
        """How it ended; one that has an end keeps it."""
        measured = outcome.measured
        with self._store.writing(f"drill {outcome.result}", lease.owner) as writer:
            guard(writer, lease)
            row = writer.row("SELECT * FROM drills WHERE id = %s FOR UPDATE", number)
            assert row is not None
            if row["finished_at"] is not None:
                return _drill(row)
            ended = {
                "result": outcome.result, "reason": outcome.reason,
                "rto_seconds": measured.rto_seconds, "rpo_seconds": measured.rpo_seconds,
                "evidence": dict(measured.evidence), "finished_at": writer.now(),
            }  # fmt: skip
            return _drill(writer.change("drills", {"id": number}, ended))

    def unfinished(self) -> tuple[Drill, ...]:
        """Oldest first."""
        return self._where("finished_at IS NULL ORDER BY id")

    def of_environment(self, environment: str) -> tuple[Drill, ...]:
        """Newest first."""
        return self._where("environment = %s ORDER BY id DESC", environment)

    def all(self) -> tuple[Drill, ...]:
        """Newest first."""
        return self._where("true ORDER BY id DESC")

    def _where(self, condition: str, *values: object) -> tuple[Drill, ...]:
        rows = self._store.rows(f"SELECT * FROM drills WHERE {condition}", *values)
        return tuple(map(_drill, rows))


def _drill(row: Row) -> Drill:
    return Drill(**row)
