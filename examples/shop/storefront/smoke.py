"""``python -m storefront.smoke``: sells one thing in the database that DATABASE_URL names.

Ends with an error when this version does not get on with the schema, or with what is in it.
"""

from uuid import uuid4

from shopdb import WAREHOUSE, connect, seed
from storefront.checkout import check_out, find

IN_STOCK = "SELECT sku FROM stock WHERE location = %s AND quantity > 0 ORDER BY sku LIMIT 1"
NEWEST = """
SELECT idempotency_key AS key FROM orders
 WHERE idempotency_key IS NOT NULL ORDER BY id DESC LIMIT 20
"""


def sell_one(connection):
    """What was sold, in a sentence; the newest orders are read before."""
    assert connection.execute("SELECT sku, title, price, currency FROM products").fetchall()
    for order in connection.execute(NEWEST).fetchall():
        assert find(connection, order["key"]), f"{order['key']} is not to be found"
    product = connection.execute(IN_STOCK, [WAREHOUSE]).fetchone()
    if product is None:
        return "everything is sold out: read only"
    key, wish = f"smoke-{uuid4()}", {"sku": product["sku"], "quantity": 1}
    order, new = check_out(connection, key, wish)
    again, twice = check_out(connection, key, wish)
    assert new and not twice and again == order, "one key, one order"
    return f"sold {product['sku']} as order {order['order_id']}"


def main():
    with connect() as connection:
        seed(connection, ())
        print(sell_one(connection))


if __name__ == "__main__":
    main()
