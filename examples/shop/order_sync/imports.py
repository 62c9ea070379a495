"""A marketplace order becomes the shop's own: once, with its lines and its stock movements."""

from decimal import Decimal

from shopdb import move


def import_order(connection, channel, order):
    """True when the order was new. ``order`` is as Amazon's Orders API 2026-01-01 tells it."""
    total = order["proceeds"]["grandTotal"]
    new = connection.execute(
        "INSERT INTO orders (channel, channel_order_id, currency, total, placed_at, status)"
        " VALUES (%s, %s, %s, %s, %s, %s)"
        " ON CONFLICT (channel, channel_order_id) DO NOTHING RETURNING id",
        (
            channel,
            order["orderId"],
            total["currencyCode"],
            Decimal(total["amount"]),
            order["createdTime"],
            order["fulfillment"]["fulfillmentStatus"],
        ),
    ).fetchone()
    if new is None:
        return False
    for item in order["orderItems"]:
        import_line(connection, channel, new["id"], item)
    return True


def import_line(connection, channel, order_id, item):
    sku, quantity = item["product"]["sellerSku"], item["quantityOrdered"]
    connection.execute(
        "INSERT INTO order_lines (order_id, sku, quantity) VALUES (%s, %s, %s)",
        (order_id, sku, quantity),
    )
    move(connection, sku, channel, -quantity, "order", str(order_id))
