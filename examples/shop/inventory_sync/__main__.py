"""``python -m inventory_sync``: refills the marketplace, pass by pass."""

import os
from datetime import UTC, datetime

from inventory_sync.transfers import transfer_all
from shopdb.amazon import Amazon
from shopdb.worker import Worker


def main():
    amazon = Amazon() if os.environ.get("AMAZON_ENDPOINT") else None
    channel = os.environ.get("AMAZON_CHANNEL", "amazon-us")

    def one_pass(connection):
        if amazon is not None:
            transfer_all(connection, amazon, channel)
        return datetime.now(UTC)

    Worker("inventory-sync", one_pass).run()


if __name__ == "__main__":
    main()
