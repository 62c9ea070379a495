"""``python -m storefront``: product pages and checkout on $PORT."""

import os
import threading

import psycopg

from shopdb import connect, errors, markets, seed
from shopdb.pages import Pages, serve
from storefront.checkout import Refused, check_out
from storefront.document import DOCUMENT

_own = threading.local()


def connection():
    """This thread's connection; a broken one is replaced."""
    if getattr(_own, "connection", None) is None or _own.connection.closed:
        _own.connection = connect()
    return _own.connection


class Storefront(Pages):
    def do_GET(self):
        path = self.path.partition("?")[0]
        if path == "/health":
            self.shown("SELECT 1 AS database")
        elif path == "/openapi.json":
            self.answer(200, DOCUMENT)
        elif path == "/products":
            self.shown("SELECT sku, title, price, currency FROM products ORDER BY sku")
        elif path.startswith("/products/"):
            query = "SELECT sku, title, price, currency FROM products WHERE sku = %s"
            self.shown(query, path.removeprefix("/products/"))
        else:
            self.answer(404, {"error": f"no page {path}"})

    def shown(self, query, *values):
        try:
            with connection() as open_connection:
                rows = open_connection.execute(query, values).fetchall()
        except psycopg.Error as error:
            errors.caught(error)
            self.answer(500, {"error": type(error).__name__})
            return
        self.answer(
            200 if rows else 404, {"version": os.environ.get("TRADEWIND_VERSION"), "rows": rows}
        )

    def do_POST(self):
        wish, key = self.body(), self.headers.get("Idempotency-Key")
        if self.path != "/checkout":
            self.answer(404, {"error": f"no page {self.path}"})
            return
        try:
            order, new = sold(key, wish)
        except Refused as refusal:
            self.answer(refusal.status, {"error": str(refusal)})
        except psycopg.Error as error:
            errors.caught(error)
            self.answer(500, {"error": type(error).__name__})
        else:
            self.answer(201 if new else 200, order)


def sold(key, wish):
    """One transaction; of two requests with one key at the same time the later finds the order."""
    try:
        with connection().transaction():
            return check_out(connection(), key, wish)
    except psycopg.errors.UniqueViolation:
        with connection().transaction():
            return check_out(connection(), key, wish)


def main():
    errors.report("storefront")
    with connect() as start:
        seed(start, markets.channels())
    serve(Storefront)


if __name__ == "__main__":
    main()
