"""Approvals in the ledger: a person's answer counts once, for one plan, and never one's own."""

from blocks.ledger.store import Store, Writer
from domain.errors import Refused
from domain.journal import Approval, Decision, Deployment, may_decide


class Approvals:
    def __init__(self, store: Store) -> None:
        self._store = store

    def open(self, deployment: Deployment, plan_digest: str, seconds: float) -> Approval:
        """Waits for ``seconds``; the same deployment and plan get the same approval again."""
        with self._store.writing("ask for approval", deployment.requested_by) as writer:
            writer.connection.execute("LOCK TABLE approvals IN SHARE ROW EXCLUSIVE MODE")
            known = writer.row(
                "SELECT * FROM approvals WHERE deployment = %s AND plan_digest = %s",
                deployment.id,
                plan_digest,
            )
            if known is not None:
                return Approval(**known)
            ids = writer.row(
                "SELECT nextval('approvals_id_seq') AS id,"
                " clock_timestamp() + make_interval(secs => %s) AS expires_at",
                seconds,
            )
            assert ids is not None
            return Approval(
                **writer.put(
                    "approvals",
                    {
                        **ids,
                        "deployment": deployment.id,
                        "plan_digest": plan_digest,
                        "requested_by": deployment.requested_by,
                    },
                )
            )

    def get(self, number: int) -> Approval:
        row = self._store.row("SELECT * FROM approvals WHERE id = %s", number)
        if row is None:
            raise Refused(f"there is no approval {number}")
        return Approval(**row)

    def decide(self, number: int, plan_digest: str, said: Decision) -> None:
        """One answer, once. Refused (and audited) when it does not count; says why."""
        with self._store.writing(
            f"{said.decision} by {said.decided_by}", said.decided_by
        ) as writer:
            approval = _locked(writer, number)
            against = may_decide(approval, plan_digest, said, writer.now())
            if not against:
                answer = {**vars(said), "decided_at": writer.now()}
                writer.change("approvals", {"id": number}, answer)
        if against:
            self._note(number, f"refused: {against}", said.decided_by)
            raise Refused(against)

    def expire(self, number: int) -> Approval:
        """Closes a waiting approval whose time is over; a decided one stays as it is."""
        with self._store.writing("expire approval", "tradewind") as writer:
            approval = _locked(writer, number)
            if approval.decision != "waiting" or writer.now() < approval.expires_at:
                return approval
            now = writer.now()
            return Approval(
                **writer.change(
                    "approvals", {"id": number}, {"decision": "expired", "decided_at": now}
                )
            )

    def of_deployment(self, deployment: int) -> tuple[Approval, ...]:
        rows = self._store.rows(
            "SELECT * FROM approvals WHERE deployment = %s ORDER BY id", deployment
        )
        return tuple(Approval(**row) for row in rows)

    def _note(self, number: int, what: str, who: str) -> None:
        """An audit entry without a change: somebody tried."""
        with self._store.writing(what, who) as writer:
            writer.change("approvals", {"id": number}, {"id": number})


def _locked(writer: Writer, number: int) -> Approval:
    row = writer.row("SELECT * FROM approvals WHERE id = %s FOR UPDATE", number)
    if row is None:
        raise Refused(f"there is no approval {number}")
    return Approval(**row)
