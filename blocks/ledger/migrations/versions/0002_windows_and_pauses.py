"""Approvals for a window, restores of a database, and environments that a person holds still."""

from alembic import op

revision = "0002"
down_revision = "0001"

STATEMENTS = """
ALTER TABLE approvals ADD COLUMN begins_at timestamptz, ADD COLUMN ends_at timestamptz,
    ADD CHECK ((begins_at IS NULL) = (ends_at IS NULL) AND (begins_at < ends_at) IS NOT FALSE);
ALTER TABLE deployments DROP CONSTRAINT deployments_kind_check,
    ADD CONSTRAINT deployments_kind_check CHECK (kind IN ('release', 'rollback', 'restore'));
CREATE TABLE pauses (
    environment  text PRIMARY KEY,
    paused       boolean NOT NULL,
    by           text NOT NULL,
    reason       text NOT NULL
);
"""


def upgrade() -> None:
    for statement in STATEMENTS.split(";\n")[:-1]:
        op.execute(statement)


def downgrade() -> None:
    """Never: a ledger is not undone."""
    raise RuntimeError("the ledger only grows")
