"""Signed statements in the ledger: kept as they were signed, and proven whenever they are read."""

from datetime import datetime

import psycopg
from psycopg.rows import DictRow

from blocks.ledger.store import Writer
from domain.approving.quorum import Standing, counted, late, objection
from domain.approving.settings import Approving
from domain.approving.statement import Proves, Question, SignedStatement, Statement
from domain.digest import digest_of
from domain.errors import Refused
from domain.journal import Approval, identity, may_decide

Connection = psycopg.Connection[DictRow]

FACTS = """
SELECT d.version, d.environment, r.manifest,
       (SELECT s.outcome -> 'migration' FROM steps s
         WHERE s.scope = 'deployment:' || d.id AND s.name = 'plan migration') AS migration
  FROM deployments d JOIN releases r ON r.version = d.version
 WHERE d.id = %s
"""


def question_of(connection: Connection, approval: Approval) -> Question:
    """What an approval asks, with the digests of what the ledger knows of its deployment."""
    row = connection.execute(FACTS, [approval.deployment]).fetchone()
    assert row is not None  # an approval is of a deployment
    migration = row["migration"]
    return Question(
        approval,
        row["version"],
        row["environment"],
        digest_of(row["manifest"]),
        digest_of(migration) if migration and migration["revisions"] else "",
    )


def proven(connection: Connection, number: int, proves: Proves) -> tuple[Statement, ...]:
    """Statements whose signature proves their text; others are none."""
    query = "SELECT text, signature FROM statements WHERE approval = %s ORDER BY text"
    rows = connection.execute(query, [number]).fetchall()
    return tuple(
        SignedStatement(**row).statement for row in rows if proves(row["text"], row["signature"])
    )


def read(signed: SignedStatement, proves: Proves) -> Statement:
    """Refused unless the signature proves the text, before anything in it is believed."""
    if not proves(signed.text, signed.signature):
        raise Refused("the statement is not signed by this shop's key: it counts nothing")
    try:
        return signed.statement
    except ValueError as error:
        raise Refused(f"what was signed is no statement: {error}") from error


def against(
    statement: Statement,
    heard: tuple[Statement, ...],
    question: Question,
    approving: Approving,
    now: datetime,
) -> str:
    """Why a statement that arrives ``now`` does not count after those ``heard``, or ""."""
    if not approving.signed:
        return f"approvals.signed is false in {question.environment}: typed names are asked there"
    return (
        may_decide(question.approval, statement.bound.plan_digest, statement.said, now)
        or late(statement, now)
        or objection(statement, counted(question, heard, approving), question, approving)
    )


def add(writer: Writer, signed: SignedStatement) -> None:
    """One of a person for an approval; only one that does not count is ever replaced."""
    statement = signed.statement
    row = {
        "approval": statement.bound.approval,
        "person": identity(statement.person),
        "text": signed.text,
        "signature": signed.signature,
        "nonce": statement.nonce,
    }
    writer.put("statements", row)


def settle(writer: Writer, number: int, standing: Standing) -> None:
    """The approval itself, once its statements decide it."""
    if standing.state == "waiting":
        return
    answer = {
        "decision": standing.state,
        "decided_by": ", ".join(standing.by),
        "reason": standing.reason,
        "begins_at": standing.begins_at,
        "ends_at": standing.ends_at,
        "decided_at": writer.now(),
    }
    writer.change("approvals", {"id": number}, answer)
