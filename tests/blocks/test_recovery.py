"""A database put back to its backup: what came since is kept, and nobody writes meanwhile."""

from pathlib import Path

import psycopg
import pytest

from blocks.database import Database, named
from blocks.database.backup import Backup, taken
from blocks.database.recovery import (
    built,
    counted,
    exported,
    name_of,
    read_only,
    replayed,
    swapped,
    writable,
)
from domain.errors import Failed, Refused
from domain.schema.settings import Backups, Delta

ORDERS = {
    "orders": Delta(
        "SELECT key, total, placed_at, note FROM orders WHERE placed_at >= %(since)s",
        "INSERT INTO orders (key, total, placed_at, note)"
        " VALUES (%(key)s, %(total)s, %(placed_at)s, %(note)s) ON CONFLICT (key) DO NOTHING",
    )
}
INSERT = "INSERT INTO orders (key, total, note) VALUES (%s, %s, %s)"


@pytest.fixture
def database(database_url: str) -> Database:
    """A shop with one old order."""
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "CREATE TABLE orders (key text PRIMARY KEY, total numeric(12, 2),"
            " placed_at timestamptz NOT NULL DEFAULT clock_timestamp(), note text)"
        )
        connection.execute(INSERT, ("old", "1.10", None))
        connection.execute("UPDATE orders SET placed_at = placed_at - interval '1 day'")
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name_of(Database(database_url))} SET work_mem = '5MB'")
    return Database(database_url)


@pytest.fixture
def backup(database: Database, tmp_path: Path) -> Backup:
    return taken(database, tmp_path / "backup", Backups(), "")


def order(database: Database, key: str, total: str, note: str | None) -> None:
    with psycopg.connect(database.url) as connection:
        connection.execute(INSERT, (key, total, note))


def orders(database: Database) -> list[tuple[object, ...]]:
    with psycopg.connect(database.url) as connection:
        query = "SELECT key, total::text, placed_at, note FROM orders ORDER BY key"
        return connection.execute(query).fetchall()


def test_what_came_since_the_backup_comes_back_exactly(
    database: Database, backup: Backup, tmp_path: Path
) -> None:
    order(database, "new", "12345678.90", 'a "note"\nin two lines, 茶')
    order(database, "none", "0.00", None)
    everything = orders(database)
    kept = f"{name_of(database)}_kept"

    assert counted(database, ORDERS, backup.taken_at) == {"orders": 2}
    known = exported(database, ORDERS, backup.taken_at, tmp_path / "delta")
    fresh = built(database, backup, Backups(), "", f"{name_of(database)}_fresh")
    assert [row[0] for row in orders(fresh)] == ["old"]
    assert replayed(fresh, ORDERS, known, tmp_path / "delta") == {"orders": 2}
    assert swapped(database, name_of(fresh), kept)

    assert orders(database) == everything
    assert database.rows("SHOW work_mem", {}) == [{"work_mem": "5MB"}]
    assert orders(Database(named(database.url, kept))) == everything
    assert not swapped(database, name_of(fresh), kept), "found done"
    with psycopg.connect(named(database.url, "postgres"), autocommit=True) as server:
        server.execute(f"DROP DATABASE {kept}")


def test_replayed_twice_nothing_is_doubled(
    database: Database, backup: Backup, tmp_path: Path
) -> None:
    order(database, "new", "2.00", None)
    known = exported(database, ORDERS, backup.taken_at, tmp_path / "delta")

    assert replayed(database, ORDERS, known, tmp_path / "delta") == {"orders": 0}


def test_while_nobody_may_write_people_still_read(database: Database) -> None:
    with psycopg.connect(database.url) as before:
        read_only(database)
        with pytest.raises(psycopg.OperationalError):
            before.execute(INSERT, ("x", "1", None))

    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        order(database, "x", "1", None)
    assert len(orders(database)) == 1
    writable(database)
    order(database, "x", "1", None)


def test_an_export_that_was_changed_is_not_replayed(
    database: Database, backup: Backup, tmp_path: Path
) -> None:
    order(database, "new", "2.00", None)
    known = exported(database, ORDERS, backup.taken_at, tmp_path / "delta")
    file = tmp_path / "delta" / "orders.jsonl"
    file.write_text(file.read_text().replace("2.00", "9.00"))

    with pytest.raises(Failed, match=r"orders\.jsonl is not what was exported"):
        replayed(database, ORDERS, known, tmp_path / "delta")


def test_a_wrong_query_is_refused_by_its_name(database: Database, backup: Backup) -> None:
    wrong = {"orders": Delta("SELECT nothing FROM orders", "")}

    with pytest.raises(Refused, match=r"migrations\.deltas\.orders\.export: column"):
        counted(database, wrong, backup.taken_at)
