"""People, their linked identities and tokens; sessions, tries and used codes come and go."""

from alembic import op

revision = "0004"
down_revision = "0003"

STATEMENTS = """
CREATE TABLE people (
    name          text PRIMARY KEY,
    display       text NOT NULL,
    grants        jsonb NOT NULL,
    groups        text[] NOT NULL,
    disabled      boolean NOT NULL DEFAULT false,
    password      text NOT NULL,
    totp          text NOT NULL DEFAULT '',
    totp_pending  text NOT NULL DEFAULT ''
);
CREATE TABLE identities (
    issuer        text NOT NULL,
    subject       text NOT NULL,
    person        text NOT NULL REFERENCES people,
    PRIMARY KEY (issuer, subject)
);
CREATE TABLE tokens (
    id            text PRIMARY KEY,
    person        text NOT NULL REFERENCES people,
    digest        text NOT NULL UNIQUE,
    scope         jsonb NOT NULL,
    issued_by     text NOT NULL,
    issued_at     timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL,
    revoked_at    timestamptz,
    revoked_by    text NOT NULL DEFAULT ''
);
CREATE TABLE sessions (
    digest        text PRIMARY KEY,
    person        text NOT NULL REFERENCES people,
    via           text NOT NULL CHECK (via IN ('password', 'oidc')),
    address       text NOT NULL,
    begun_at      timestamptz NOT NULL,
    seen_at       timestamptz NOT NULL,
    factor_at     timestamptz
);
CREATE INDEX sessions_of_person ON sessions (person);
CREATE TABLE login_failures (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name          text NOT NULL,
    address       text NOT NULL,
    at            timestamptz NOT NULL
);
CREATE INDEX login_failures_of_name ON login_failures (name);
CREATE INDEX login_failures_of_address ON login_failures (address);
CREATE TABLE used_codes (
    person        text NOT NULL REFERENCES people,
    step          bigint NOT NULL,
    PRIMARY KEY (person, step)
);
"""


def upgrade() -> None:
    for statement in STATEMENTS.split(";\n")[:-1]:
        op.execute(statement)


def downgrade() -> None:
    """Never: a ledger is not undone."""
    raise RuntimeError("the ledger only grows")
