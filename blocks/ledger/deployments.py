"""Deployments in the ledger: their states under a lease, and what serves where."""

from collections.abc import Mapping
from dataclasses import asdict

import psycopg

from blocks.ledger.leases import Lease, guard
from blocks.ledger.store import Store
from domain.errors import Refused
from domain.journal import FINAL, Deployment, transition
from domain.plan import Serving


class Deployments:
    def __init__(self, store: Store) -> None:
        self._store = store

    def open(
        self, version: str, environment: str, kind: str, flow_run: str, requested_by: str
    ) -> Deployment:
        """The flow run's deployment of that version; Refused while another one is under way."""
        known = self.of_flow_run(flow_run, environment)
        if known is not None:
            return known
        try:
            with self._store.writing(f"open {environment}", requested_by) as writer:
                sequence = writer.row("SELECT nextval('deployments_id_seq') AS id")
                assert sequence is not None
                serving = {name: asdict(one) for name, one in self.serving(environment).items()}
                row = {
                    "id": sequence["id"],
                    "version": version,
                    "environment": environment,
                    "kind": kind,
                    "flow_run": flow_run,
                    "requested_by": requested_by,
                    "previous": serving,
                }
                return Deployment(**writer.put("deployments", row))
        except psycopg.errors.UniqueViolation as error:
            raise Refused(f"{environment} has another deployment under way") from error

    def get(self, number: int) -> Deployment:
        row = self._store.row("SELECT * FROM deployments WHERE id = %s", number)
        if row is None:
            raise Refused(f"there is no deployment {number}")
        return Deployment(**row)

    def of_flow_run(self, flow_run: str, environment: str) -> Deployment | None:
        """What this run opened there, maybe in an execution before this one."""
        rows = self._where("flow_run = %s AND environment = %s", flow_run, environment)
        return rows[0] if rows else None

    def advance(self, number: int, state: str, lease: Lease, reason: str = "") -> None:
        """The next state, guarded by the epoch; a state reached already stays."""
        with self._store.writing(f"deployment {state}", lease.owner) as writer:
            guard(writer, lease)
            row = writer.row(
                "SELECT state, reason FROM deployments WHERE id = %s FOR UPDATE", number
            )
            assert row is not None
            if row["state"] == state:
                return
            transition(row["state"], state)
            values = {"state": state, "epoch": lease.epoch, "reason": reason or row["reason"]}
            finished = {"finished_at": writer.now()} if state in FINAL else {}
            writer.change("deployments", {"id": number}, {**values, **finished})

    def serve(self, deployment: Deployment, serving: Mapping[str, Serving], lease: Lease) -> None:
        """What serves from now on, service by service; the rest stays as it is."""
        with self._store.writing(f"serving in {deployment.environment}", lease.owner) as writer:
            guard(writer, lease)
            for service, one in serving.items():
                writer.put(
                    "serving",
                    {
                        "environment": deployment.environment,
                        "service": service,
                        "version": one.version,
                        "digest": one.digest,
                        "deployment": deployment.id,
                    },
                )

    def serving(self, environment: str) -> dict[str, Serving]:
        rows = self._store.rows("SELECT * FROM serving WHERE environment = %s", environment)
        return {row["service"]: Serving(row["version"], row["digest"]) for row in rows}

    def ended_lately(self) -> tuple[Deployment, ...]:
        """Those that ended within the last day, in that order."""
        recent = "finished_at > clock_timestamp() - interval '1 day'"
        return self._where(f"{recent} ORDER BY finished_at")

    def unfinished(self) -> tuple[Deployment, ...]:
        return self._where("state <> ALL(%s) ORDER BY id", list(FINAL))

    def of_release(self, version: str) -> tuple[Deployment, ...]:
        return self._where("version = %s ORDER BY id", version)

    def done(self, environment: str) -> tuple[Deployment, ...]:
        """Newest first."""
        return self._where("environment = %s AND state = 'done' ORDER BY id DESC", environment)

    def of_environment(self, environment: str) -> tuple[Deployment, ...]:
        """Newest first."""
        return self._where("environment = %s ORDER BY id DESC", environment)

    def _where(self, condition: str, *values: object) -> tuple[Deployment, ...]:
        rows = self._store.rows(f"SELECT * FROM deployments WHERE {condition}", *values)
        return tuple(Deployment(**row) for row in rows)
