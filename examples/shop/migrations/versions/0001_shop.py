"""Products, stock, its movements and pushes, orders with their lines, what the workers keep."""

from alembic import op

revision = "0001"
down_revision = None

TABLES = """
CREATE TABLE products (
    sku text PRIMARY KEY, title text NOT NULL, price numeric(12, 2) NOT NULL, currency text NOT NULL
);
CREATE TABLE stock (
    sku text NOT NULL REFERENCES products, location text NOT NULL, quantity integer NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(), PRIMARY KEY (sku, location)
);
CREATE TABLE stock_movements (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, sku text NOT NULL, location text NOT NULL,
    delta integer NOT NULL, reason text NOT NULL, ref text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, idempotency_key text UNIQUE,
    channel text NOT NULL, channel_order_id text, currency text NOT NULL,
    total numeric(12, 2) NOT NULL, placed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    imported_at timestamptz NOT NULL DEFAULT clock_timestamp(), status text NOT NULL,
    cancelled boolean NOT NULL DEFAULT false, shipped_at timestamptz,
    UNIQUE (channel, channel_order_id)
);
CREATE TABLE order_lines (
    order_id bigint NOT NULL REFERENCES orders, sku text NOT NULL, quantity integer NOT NULL
);
CREATE TABLE transfers (
    token text PRIMARY KEY, channel text NOT NULL, sku text NOT NULL, quantity integer NOT NULL,
    done boolean NOT NULL DEFAULT false
);
CREATE TABLE stock_pushes (
    channel text NOT NULL, sku text NOT NULL, quantity integer NOT NULL,
    pushed_at timestamptz NOT NULL DEFAULT clock_timestamp(), version text NOT NULL,
    PRIMARY KEY (channel, sku, pushed_at)
);
CREATE TABLE refresh_tokens (account text PRIMARY KEY, token text NOT NULL);
CREATE TABLE watermarks (worker text PRIMARY KEY, at timestamptz NOT NULL);
"""


def upgrade():
    for statement in TABLES.split(";\n")[:-1]:
        op.execute(statement)


def downgrade():
    for table in (
        "watermarks",
        "refresh_tokens",
        "stock_pushes",
        "transfers",
        "order_lines",
        "orders",
        "stock_movements",
        "stock",
        "products",
    ):
        op.drop_table(table)
