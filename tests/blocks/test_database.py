"""A real PostgreSQL: scratch databases that are gone afterwards."""

import psycopg
import pytest

from blocks.database import Database

CREATE = "CREATE TABLE stock (sku text PRIMARY KEY, quantity int);"


@pytest.fixture
def database(database_url: str) -> Database:
    """With one table and a row in it."""
    made = Database(database_url)
    made.build(f"{CREATE} INSERT INTO stock VALUES ('TEA-001', 5);")
    return made


def test_a_scratch_database_is_gone_afterwards(database: Database) -> None:
    with database.scratch() as scratch:
        scratch.build(CREATE)
        name = scratch.rows("SELECT current_database() AS name", {})[0]["name"]

    found = database.rows("SELECT 1 FROM pg_database WHERE datname = %(name)s", {"name": name})
    assert found == []


def test_a_scratch_database_that_a_dead_process_left_is_cleared_away(database: Database) -> None:
    name = "scratch_1000000000_dead"
    with psycopg.connect(database.url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")

    with database.scratch():
        query = "SELECT 1 FROM pg_database WHERE datname = %(name)s"
        found = database.rows(query, {"name": name})

    assert found == []
