"""What people were told, and what a chat did not take yet."""

from alembic import op

revision = "0005"
down_revision = "0004"

STATEMENTS = """
CREATE TABLE notices (
    event        text NOT NULL,
    key          text NOT NULL,
    reminder     integer NOT NULL,
    target       text NOT NULL,
    title        text NOT NULL,
    body         text NOT NULL,
    link         text NOT NULL,
    level        text NOT NULL,
    attempts     integer NOT NULL DEFAULT 0,
    reason       text NOT NULL DEFAULT '',
    told_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    next_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    delivered_at timestamptz,
    PRIMARY KEY (event, key, reminder, target)
);
CREATE INDEX notices_undelivered ON notices (next_at) WHERE delivered_at IS NULL;
"""


def upgrade() -> None:
    for statement in STATEMENTS.split(";\n")[:-1]:
        op.execute(statement)


def downgrade() -> None:
    """Never: a ledger is not undone."""
    raise RuntimeError("the ledger only grows")
