"""Looks at channels and their divergences, opening stock, call budgets, contracts' findings."""

from alembic import op

revision = "0003"
down_revision = "0002"

STATEMENTS = """
CREATE TABLE looks (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    environment  text NOT NULL,
    deployment   bigint,
    purpose      text NOT NULL CHECK (purpose IN ('baseline', 'first', 'again', 'hourly')),
    at           timestamptz NOT NULL,
    since        timestamptz NOT NULL,
    parts        jsonb NOT NULL
);
CREATE INDEX looks_by_time ON looks (environment, id);
CREATE TABLE divergences (
    environment  text NOT NULL,
    channel      text NOT NULL,
    check_id     text NOT NULL,
    key          text NOT NULL,
    ours         text NOT NULL,
    theirs       text NOT NULL,
    detail       text NOT NULL,
    top          boolean NOT NULL,
    first_look   bigint NOT NULL,
    last_look    bigint NOT NULL,
    first_seen   timestamptz NOT NULL,
    last_seen    timestamptz NOT NULL,
    gone_at      timestamptz,
    suspected    text NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX divergences_open ON divergences (environment, channel, check_id, key)
    WHERE gone_at IS NULL;
CREATE INDEX divergences_by_look ON divergences (environment, first_look);
CREATE TABLE openings (
    look         bigint NOT NULL,
    channel      text NOT NULL,
    sku          text NOT NULL,
    quantity     bigint NOT NULL,
    sold         bigint NOT NULL,
    sold_anywhere bigint NOT NULL,
    restocked    bigint NOT NULL,
    moved        bigint NOT NULL
);
CREATE INDEX openings_by_look ON openings (look);
CREATE TABLE findings (
    id              text PRIMARY KEY,
    channel         text NOT NULL,
    source          text NOT NULL,
    kind            text NOT NULL
                    CHECK (kind IN ('breaking', 'deprecation', 'warning', 'information')),
    subject         text NOT NULL,
    detail          text NOT NULL,
    found_at        timestamptz NOT NULL,
    decided_on      date,
    told_days       integer,
    accepted_by     text NOT NULL DEFAULT '',
    accepted_reason text NOT NULL DEFAULT '',
    accepted_at     timestamptz,
    gone_at         timestamptz
);
CREATE UNLOGGED TABLE call_budgets (
    account      text NOT NULL,
    operation    text NOT NULL,
    level        double precision NOT NULL,
    at           timestamptz NOT NULL,
    PRIMARY KEY (account, operation)
);
"""


def upgrade() -> None:
    for statement in STATEMENTS.split(";\n")[:-1]:
        op.execute(statement)


def downgrade() -> None:
    """Never: a ledger is not undone."""
    raise RuntimeError("the ledger only grows")
