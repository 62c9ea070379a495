"""``python -m order_sync``: imports the marketplaces' orders, pass by pass."""

from datetime import UTC, datetime, timedelta

from order_sync.imports import import_orders
from shopdb import errors, markets
from shopdb.worker import Worker

OVERLAP = timedelta(seconds=60)
FIRST_LOOK = timedelta(days=30)


def one_pass(connection, opened):
    """Every market's changes since its own watermark; answers the oldest of the watermarks."""
    reached = [datetime.now(UTC)]
    markets.each(
        opened, lambda channel, market: reached.append(import_new(connection, channel, market))
    )
    return min(reached)


def import_new(connection, channel, market):
    """One market's orders and its watermark, in one transaction; answers the watermark."""
    worker = f"order-sync/{channel}"
    with connection.transaction():
        stored = connection.execute(
            "SELECT at FROM watermarks WHERE worker = %s", [worker]
        ).fetchone()
    since = stored["at"] - OVERLAP if stored else datetime.now(UTC) - FIRST_LOOK
    orders, watermark = market.orders(since)
    with connection.transaction():
        import_orders(connection, channel, orders)
        row = connection.execute(
            "INSERT INTO watermarks (worker, at) VALUES (%s, %s)"
            " ON CONFLICT (worker) DO UPDATE SET at = EXCLUDED.at RETURNING at",
            (worker, watermark),
        ).fetchone()
    return row["at"]


def main():
    errors.report("order-sync")
    opened = markets.opened()
    Worker("order-sync", lambda connection: one_pass(connection, opened)).run()


if __name__ == "__main__":
    main()
