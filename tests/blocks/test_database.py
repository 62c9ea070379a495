"""Schema changes and backups on a real PostgreSQL: once, fenced, within their limits, proven."""

import threading
from pathlib import Path

import psycopg
import pytest

from blocks.database import Database
from blocks.database.backup import proven, taken
from domain.errors import Failed, Fenced
from domain.migration import Migration
from domain.shop import Migrations

LIMITS = Migrations("migrations", "web", lock_timeout_ms=50, attempts=3)
CREATE = Migration("", "0001", "CREATE TABLE stock (sku text PRIMARY KEY, quantity int);")
GROW = Migration("0001", "0002", "ALTER TABLE stock ADD COLUMN note text;")


@pytest.fixture
def database(database_url: str) -> Database:
    """With one table and a row in it."""
    made = Database(database_url)
    assert made.apply(CREATE, LIMITS, 1, "create")
    with psycopg.connect(database_url) as connection:
        connection.execute("INSERT INTO stock VALUES ('TEA-001', 5)")
    return made


def columns(database: Database) -> set[str]:
    query = "SELECT column_name AS name FROM information_schema.columns WHERE table_name = 'stock'"
    return {row["name"] for row in database.rows(query, {})}


def test_a_migration_with_the_same_key_is_applied_once(database: Database) -> None:
    assert database.apply(GROW, LIMITS, 1, "grow")

    assert not database.apply(GROW, LIMITS, 1, "grow")
    assert columns(database) == {"sku", "quantity", "note"}


def test_many_executors_at_once_apply_it_once(database: Database) -> None:
    done: list[bool] = []

    def run() -> None:
        done.append(database.apply(GROW, Migrations("m", "web", attempts=100), 1, "grow"))

    executors = [threading.Thread(target=run) for _ in range(8)]
    for one in executors:
        one.start()
    for one in executors:
        one.join()

    assert sorted(done) == [False] * 7 + [True]


def test_an_executor_with_an_older_epoch_is_fenced(database: Database) -> None:
    database.apply(Migration("0001", "0001b", "SELECT 1;"), LIMITS, 7, "newer")

    with pytest.raises(Fenced, match="epoch 6 is over, the database has seen 7"):
        database.apply(GROW, LIMITS, 6, "grow")

    assert "note" not in columns(database)


def test_what_fails_in_the_middle_leaves_nothing(database: Database) -> None:
    broken = Migration("0001", "0002", f"{GROW.sql} ALTER TABLE nowhere ADD COLUMN x int;")

    with pytest.raises(Failed, match="migration to 0002 failed, undone"):
        database.apply(broken, LIMITS, 1, "grow")

    assert "note" not in columns(database)
    assert database.apply(GROW, LIMITS, 1, "grow"), "a failed attempt must not count as applied"


def test_a_lock_that_is_not_free_is_given_up_in_time(database: Database) -> None:
    with psycopg.connect(database.url) as reader:
        reader.execute("SELECT * FROM stock")  # holds its lock until the transaction ends
        with pytest.raises(Failed, match=r"no lock within 0\.1 s, undone"):
            database.apply(GROW, LIMITS, 1, "grow")

    assert database.apply(GROW, LIMITS, 1, "grow")


def test_a_backup_is_proven_by_restoring_it(database: Database, tmp_path: Path) -> None:
    backup = taken(database, tmp_path / "shop.dump")

    proven(database, backup)

    assert backup.tables["public.stock"][0] == 1
    assert [path.name for path in tmp_path.iterdir()] == ["shop.dump"]


def test_a_damaged_backup_is_never_proven(database: Database, tmp_path: Path) -> None:
    backup = taken(database, tmp_path / "shop.dump")
    whole = Path(backup.path).read_bytes()
    Path(backup.path).write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))

    with pytest.raises(Failed, match="damaged"):
        proven(database, backup)


def test_a_backup_of_other_rows_is_never_proven(database: Database, tmp_path: Path) -> None:
    backup = taken(database, tmp_path / "shop.dump")
    backup.tables["public.stock"][1] += 1

    with pytest.raises(Failed, match=r"differs in public\.stock"):
        proven(database, backup)


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
