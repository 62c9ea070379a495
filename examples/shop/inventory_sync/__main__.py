"""``python -m inventory_sync``: refills the marketplaces, pass by pass."""

from datetime import UTC, datetime

from inventory_sync.transfers import transfer_all
from shopdb import errors, markets
from shopdb.worker import Worker


def one_pass(connection, opened):
    markets.each(opened, lambda channel, market: transfer_all(connection, channel, market))
    return datetime.now(UTC)


def main():
    errors.report("inventory-sync")
    opened = markets.opened()
    Worker("inventory-sync", lambda connection: one_pass(connection, opened)).run()


if __name__ == "__main__":
    main()
