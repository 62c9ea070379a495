"""Units move from the warehouse to a market: told to it once, whatever fails in between."""

import os
import uuid

from shopdb import WAREHOUSE, move

REFILL_BELOW = 1990
UNITS = 200


def transfer_all(connection, channel, market):
    """Begins what is needed, and finishes it with what was begun before."""
    begin(connection, channel)
    begun = connection.execute(
        "SELECT token, sku, quantity FROM transfers WHERE channel = %s AND NOT done FOR UPDATE",
        [channel],
    ).fetchall()
    if begun:
        finish(connection, channel, market, begun)
    connection.commit()


def begin(connection, channel):
    """The intent comes first, committed: whatever happens then, it is told to the market once."""
    low = connection.execute(
        "SELECT c.sku FROM stock c JOIN stock w ON w.sku = c.sku AND w.location = %s"
        " WHERE c.location = %s AND c.quantity < %s AND w.quantity > %s AND NOT EXISTS"
        " (SELECT FROM transfers t WHERE t.channel = c.location AND t.sku = c.sku AND NOT t.done)",
        (WAREHOUSE, channel, REFILL_BELOW, 2 * UNITS),
    ).fetchall()
    for row in low:
        connection.execute(
            "INSERT INTO transfers (token, channel, sku, quantity) VALUES (%s, %s, %s, %s)",
            (str(uuid.uuid4()), channel, row["sku"], UNITS),
        )
    connection.commit()


def finish(connection, channel, market, begun):
    """Told to the market, then moved here, with two movements each."""
    write_down(connection, channel, told(connection, channel, market, begun))
    for row in begun:
        move(connection, row["sku"], WAREHOUSE, -row["quantity"], "transfer", row["token"])
        move(connection, row["sku"], channel, row["quantity"], "transfer", row["token"])
        connection.execute("UPDATE transfers SET done = true WHERE token = %s", [row["token"]])


def told(connection, channel, market, begun):
    """The levels that were set; none at a market that counts its own warehouse."""
    if market.counts_itself:
        for row in begun:
            market.add_inventory(row["token"], row["sku"], row["quantity"])
        return {}
    ours, shown = stock(connection, channel), market.stock([row["sku"] for row in begun])
    # A level has no token: where clearly more is shown than is here, only the answer was lost.
    untold = [row for row in begun if shown[row["sku"]] <= ours[row["sku"]] + UNITS // 2]
    return market.raise_stock({row["sku"]: row["quantity"] for row in untold})


def stock(connection, channel):
    rows = connection.execute("SELECT sku, quantity FROM stock WHERE location = %s", [channel])
    return {row["sku"]: row["quantity"] for row in rows}


def write_down(connection, channel, levels):
    """What this version told the market to have."""
    for sku, quantity in levels.items():
        connection.execute(
            "INSERT INTO stock_pushes (channel, sku, quantity, version) VALUES (%s, %s, %s, %s)",
            (channel, sku, quantity, os.environ.get("TRADEWIND_VERSION", "")),
        )
