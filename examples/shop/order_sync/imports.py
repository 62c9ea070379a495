"""A marketplace order becomes the shop's own: once, with its lines and its stock movements."""

from shopdb import move


def import_orders(connection, channel, orders):
    """Writes what is new or has changed; the same orders once more change nothing."""
    known = states(connection, channel, [order["order_id"] for order in orders])
    for order in orders:
        if order["order_id"] not in known:
            import_order(connection, channel, order)
        elif known[order["order_id"]] != (order["status"], order["cancelled"], order["shipped"]):
            follow(connection, channel, order)


def states(connection, channel, names):
    """(status, cancelled, shipped) of the orders that are here, by the market's own order id."""
    rows = connection.execute(
        "SELECT channel_order_id, status, cancelled, shipped_at IS NOT NULL AS shipped"
        " FROM orders WHERE channel = %s AND channel_order_id = ANY(%s)",
        (channel, names),
    )
    return {
        row["channel_order_id"]: (row["status"], row["cancelled"], row["shipped"]) for row in rows
    }


def import_order(connection, channel, order):
    """True when the order was new. One that was cancelled before it came here sold nothing."""
    if order["cancelled"]:
        return False
    new = connection.execute(
        "INSERT INTO orders (channel, channel_order_id, currency, total, placed_at, status,"
        " shipped_at) VALUES (%(channel)s, %(order_id)s, %(currency)s, %(total)s, %(placed_at)s,"
        " %(status)s, CASE WHEN %(shipped)s THEN clock_timestamp() END)"
        " ON CONFLICT (channel, channel_order_id) DO NOTHING RETURNING id",
        {**order, "channel": channel},
    ).fetchone()
    if new is None:
        return False
    for sku, quantity in order["lines"]:
        import_line(connection, channel, new["id"], sku, quantity)
    return True


def import_line(connection, channel, order_id, sku, quantity):
    connection.execute(
        "INSERT INTO order_lines (order_id, sku, quantity) VALUES (%s, %s, %s)",
        (order_id, sku, quantity),
    )
    move(connection, sku, channel, -quantity, "order", str(order_id))


def follow(connection, channel, order):
    """The market's later word on an order."""
    connection.execute(
        "UPDATE orders SET status = %(status)s, shipped_at ="
        " coalesce(shipped_at, CASE WHEN %(shipped)s THEN clock_timestamp() END)"
        " WHERE channel = %(channel)s AND channel_order_id = %(order_id)s",
        {**order, "channel": channel},
    )
    if order["cancelled"]:
        give_back(connection, channel, order["order_id"])


def give_back(connection, channel, name):
    """A cancelled order's units are here again, once."""
    lines = connection.execute(
        "WITH gone AS (UPDATE orders SET cancelled = true WHERE channel = %s"
        " AND channel_order_id = %s AND NOT cancelled RETURNING id)"
        " SELECT id, sku, quantity FROM gone JOIN order_lines ON order_id = id",
        (channel, name),
    ).fetchall()
    for line in lines:
        move(connection, line["sku"], channel, line["quantity"], "cancel", str(line["id"]))
