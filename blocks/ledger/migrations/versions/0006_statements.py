"""Signed statements of who approves, and the audit found by what it speaks of."""

from alembic import op

revision = "0006"
down_revision = "0005"

STATEMENTS = """
CREATE TABLE statements (
    approval     bigint NOT NULL REFERENCES approvals,
    person       text NOT NULL,
    text         text NOT NULL,
    signature    text NOT NULL,
    nonce        text NOT NULL UNIQUE,
    PRIMARY KEY (approval, person)
);
CREATE INDEX audit_by_row ON audit ("row", id);
"""


def upgrade() -> None:
    for statement in STATEMENTS.split(";\n")[:-1]:
        op.execute(statement)


def downgrade() -> None:
    """Never: a ledger is not undone."""
    raise RuntimeError("the ledger only grows")
