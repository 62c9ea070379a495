"""The shop's database: connections, stock movements, and how the catalogue gets in."""

import json
import os
from pathlib import Path

import psycopg
from psycopg.rows import dict_row

CATALOGUE = Path(__file__).with_name("catalogue.json")
WAREHOUSE = "warehouse"


def connect(autocommit=False):
    """A connection to the database that DATABASE_URL names; rows are dictionaries."""
    return psycopg.connect(os.environ["DATABASE_URL"], row_factory=dict_row, autocommit=autocommit)


def move(connection, sku, location, delta, reason, ref):
    """Changes a SKU's stock at a location by ``delta`` units and writes down why."""
    connection.execute(
        "UPDATE stock SET quantity = quantity + %s, changed_at = clock_timestamp()"
        " WHERE sku = %s AND location = %s",
        (delta, sku, location),
    )
    connection.execute(
        "INSERT INTO stock_movements (sku, location, delta, reason, ref)"
        " VALUES (%s, %s, %s, %s, %s)",
        (sku, location, delta, reason, ref),
    )


def seed(connection, channels):
    """Puts the catalogue in where it is missing, units for each channel; what is there stays."""
    for item in json.loads(CATALOGUE.read_text()):
        connection.execute(
            "INSERT INTO products (sku, title, price, currency) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT DO NOTHING",
            (item["sku"], item["title"], item["price"], item["currency"]),
        )
        allotted = {WAREHOUSE: item["warehouse"], **dict.fromkeys(channels, item["channel"])}
        for location, quantity in allotted.items():
            new = connection.execute(
                "INSERT INTO stock (sku, location, quantity) VALUES (%s, %s, 0)"
                " ON CONFLICT DO NOTHING RETURNING sku",
                (item["sku"], location),
            ).fetchone()
            if new:
                move(connection, item["sku"], location, quantity, "restock", "catalogue")
