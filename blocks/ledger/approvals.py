"""Approvals in the ledger: a person's answer counts once, for one plan, and never one's own."""

from datetime import datetime
from typing import cast

from blocks.ledger.statements import Connection, add, against, proven, question_of, read, settle
from blocks.ledger.store import Store, Writer
from domain.approving.quorum import Standing, decided
from domain.approving.settings import TYPED, Approving
from domain.approving.statement import Proves, Question, SignedStatement, Statement
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
        with self._store.connection() as connection:
            return _found(connection, number)

    def question(self, number: int) -> Question:
        """What an approval asks, with the digests that an answer is bound to."""
        with self._store.connection() as connection:
            return question_of(connection, _found(connection, number))

    def standing(self, number: int, approving: Approving, proves: Proves) -> Standing:
        """What the signed statements come to now; those that are not proven are none."""
        with self._store.connection() as connection:
            question = question_of(connection, _found(connection, number))
            heard = proven(connection, number, proves)
        return decided(question, heard, approving, self.now())

    def statements(self, number: int, proves: Proves) -> tuple[Statement, ...]:
        """Those that are proven."""
        with self._store.connection() as connection:
            return proven(connection, number, proves)

    def decide(
        self, number: int, plan_digest: str, said: Decision, approving: Approving = TYPED
    ) -> None:
        """One typed answer, once. Refused (and audited) when it does not count; says why.

        Where only signed statements count, none does.
        """
        told = _told(self.question(number), said)
        with self._store.writing(told, said.decided_by) as writer:
            approval = _locked(writer, number)
            objection = _typed(approving) or may_decide(approval, plan_digest, said, writer.now())
            if not objection:
                answer = {**vars(said), "decided_at": writer.now()}
                writer.change("approvals", {"id": number}, answer)
        if objection:
            self._refuse(number, objection, said.decided_by)

    def state(self, signed: SignedStatement, approving: Approving, proves: Proves) -> Standing:
        """One signed statement, once, and what all of them come to with it.

        Refused (and audited) when it does not count; says why.
        """
        statement = read(signed, proves)
        number = statement.bound.approval
        told = _told(self.question(number), statement.said)
        with self._store.writing(told, statement.person) as writer:
            question = question_of(writer.connection, _locked(writer, number))
            heard, now = proven(writer.connection, number, proves), writer.now()
            objection = against(statement, heard, question, approving, now)
            standing = decided(question, (*heard, statement), approving, now)
            if not objection:
                add(writer, signed)
                settle(writer, number, standing)
        if objection:
            self._refuse(number, objection, statement.person)
        return standing

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
        return self._where("deployment = %s", deployment)

    def waiting(self) -> tuple[Approval, ...]:
        """Those that somebody can still answer, the oldest first."""
        return self._where("decision = 'waiting' AND expires_at > clock_timestamp()")

    def decided_lately(self) -> tuple[Approval, ...]:
        """Approved or rejected within a day, or for a window that ended within one."""
        return self._where(
            "decision IN ('approved', 'rejected')"
            " AND greatest(decided_at, ends_at) > clock_timestamp() - interval '1 day'"
        )

    def now(self) -> datetime:
        """The ledger's clock, by which answers are stamped."""
        row = self._store.row("SELECT clock_timestamp() AS now")
        assert row is not None
        return cast(datetime, row["now"])

    def _where(self, condition: str, *values: object) -> tuple[Approval, ...]:
        rows = self._store.rows(f"SELECT * FROM approvals WHERE {condition} ORDER BY id", *values)
        return tuple(Approval(**row) for row in rows)

    def _refuse(self, number: int, against: str, who: str) -> None:
        """An audit entry without a change, since somebody tried; then Refused."""
        with self._store.writing(f"refused: {against}", who) as writer:
            writer.change("approvals", {"id": number}, {"id": number})
        raise Refused(against)


def _told(question: Question, said: Decision) -> str:
    """What the audit's reader sees: the answer, and what it is about."""
    return (
        f"{said.decision} by {said.decided_by}: {question.version} in {question.environment},"
        f" plan {question.approval.plan_digest}"
    )


def _typed(approving: Approving) -> str:
    if not approving.signed:
        return ""
    return "a typed name does not count here: sign in at the gateway, and answer there"


def _locked(writer: Writer, number: int) -> Approval:
    return _found(writer.connection, number, "FOR UPDATE")


def _found(connection: Connection, number: int, how: str = "") -> Approval:
    row = connection.execute(f"SELECT * FROM approvals WHERE id = %s {how}", [number]).fetchone()
    if row is None:
        raise Refused(f"there is no approval {number}")
    return Approval(**row)
