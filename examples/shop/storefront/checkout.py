"""Selling: one transaction takes the order and the stock, once per idempotency key."""

from shopdb import WAREHOUSE, move

MOST_UNITS = 20


class Refused(Exception):
    """What the customer reads, with its HTTP status."""

    def __init__(self, status, message):
        self.status = status
        super().__init__(message)


def checked(key, wish):
    """The wish as (sku, quantity); Refused (400) names the field, the value and the limit."""
    if not key or len(key) > 100:
        raise Refused(400, f"Idempotency-Key is {key!r}: 1 to 100 characters are needed")
    if not isinstance(wish, dict):
        raise Refused(400, "the body is not a JSON object")
    sku, quantity = wish.get("sku"), wish.get("quantity")
    if not isinstance(sku, str):
        raise Refused(400, f"sku is {sku!r}: a text is needed")
    if type(quantity) is not int or not 1 <= quantity <= MOST_UNITS:
        raise Refused(400, f"quantity is {quantity!r}: 1 to {MOST_UNITS} are allowed")
    return sku, quantity


def check_out(connection, key, wish):
    """Answers (order, new); Refused when the SKU is unknown (404) or sold out (409)."""
    sku, quantity = checked(key, wish)
    known = find(connection, key)
    if known:
        return known, False
    product = connection.execute(
        "SELECT price, currency FROM products WHERE sku = %s", [sku]
    ).fetchone()
    if product is None:
        raise Refused(404, f"sku is {sku!r}: no such product")
    take(connection, sku, quantity)
    total = product["price"] * quantity
    order = insert_order(connection, key, product["currency"], total, wish)
    connection.execute(
        "INSERT INTO order_lines (order_id, sku, quantity) VALUES (%s, %s, %s)",
        (order["order_id"], sku, quantity),
    )
    move(connection, sku, WAREHOUSE, -quantity, "order", str(order["order_id"]))
    return order, True


def take(connection, sku, quantity):
    """Locks the SKU's stock; Refused (409) when there is not enough."""
    stock = connection.execute(
        "SELECT quantity FROM stock WHERE sku = %s AND location = %s FOR UPDATE", (sku, WAREHOUSE)
    ).fetchone()
    if stock is None or stock["quantity"] < quantity:
        raise Refused(409, f"{sku} is sold out")


def insert_order(connection, key, currency, total, wish):
    return connection.execute(
        "INSERT INTO orders (idempotency_key, channel, currency, total, status)"
        " VALUES (%s, 'storefront', %s, %s, 'paid') RETURNING id AS order_id, currency, total",
        (key, currency, total),
    ).fetchone()


def find(connection, key):
    return connection.execute(
        "SELECT id AS order_id, currency, total FROM orders WHERE idempotency_key = %s", [key]
    ).fetchone()
