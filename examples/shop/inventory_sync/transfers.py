"""Units move from the warehouse to the marketplace: told to it once, whatever fails in between."""

import uuid

from shopdb import WAREHOUSE, move

REFILL_BELOW = 1990
UNITS = 200


def transfer_all(connection, amazon, channel):
    """Finishes what was begun before, then begins what is needed."""
    for row in connection.execute("SELECT token, sku, quantity FROM transfers WHERE NOT done"):
        finish(connection, amazon, channel, row)
    low = connection.execute(
        "SELECT c.sku FROM stock c JOIN stock w ON w.sku = c.sku AND w.location = %s"
        " WHERE c.location = %s AND c.quantity < %s AND w.quantity > %s",
        (WAREHOUSE, channel, REFILL_BELOW, 2 * UNITS),
    ).fetchall()
    for row in low:
        finish(connection, amazon, channel, begin(connection, row["sku"]))


def begin(connection, sku):
    """The intent comes first, committed: its token makes the telling safe to repeat."""
    row = connection.execute(
        "INSERT INTO transfers (token, sku, quantity) VALUES (%s, %s, %s)"
        " RETURNING token, sku, quantity",
        (str(uuid.uuid4()), sku, UNITS),
    ).fetchone()
    connection.commit()
    return row


def finish(connection, amazon, channel, row):
    """Told to the marketplace, then moved here, with its two movements in one transaction."""
    amazon.add_inventory(row["token"], row["sku"], row["quantity"])
    done = connection.execute(
        "UPDATE transfers SET done = true WHERE token = %s AND NOT done RETURNING token",
        [row["token"]],
    ).fetchone()
    if done:
        move(connection, row["sku"], WAREHOUSE, -row["quantity"], "transfer", row["token"])
        move(connection, row["sku"], channel, row["quantity"], "transfer", row["token"])
    connection.commit()
