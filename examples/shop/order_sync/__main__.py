"""``python -m order_sync``: imports the marketplace's orders, pass by pass."""

import os
from datetime import UTC, datetime, timedelta

from order_sync.imports import import_order
from shopdb.amazon import Amazon
from shopdb.worker import Worker

OVERLAP = timedelta(seconds=120)
FIRST_LOOK = timedelta(days=30)


def one_pass(connection, amazon, channel):
    """Imports what is new since the watermark; orders and watermark are one transaction."""
    now = datetime.now(UTC)
    if amazon is None:
        return now
    stored = connection.execute("SELECT at FROM watermarks WHERE worker = 'order-sync'").fetchone()
    since = stored["at"] - OVERLAP if stored else now - FIRST_LOOK
    orders, watermark = amazon.orders(since)
    for order in orders:
        import_order(connection, channel, order)
    row = connection.execute(
        "INSERT INTO watermarks (worker, at) VALUES ('order-sync', %s)"
        " ON CONFLICT (worker) DO UPDATE SET at = EXCLUDED.at RETURNING at",
        [watermark],
    ).fetchone()
    return row["at"]


def main():
    amazon = Amazon() if os.environ.get("AMAZON_ENDPOINT") else None
    channel = os.environ.get("AMAZON_CHANNEL", "amazon-us")
    Worker("order-sync", lambda connection: one_pass(connection, amazon, channel)).run()


if __name__ == "__main__":
    main()
