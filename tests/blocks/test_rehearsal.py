"""Rehearsals on a real PostgreSQL: who waits is measured, and code that breaks is found."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from blocks.database import Database
from blocks.database.code import Exported
from blocks.database.masks import masked
from blocks.database.probes import Probes
from blocks.database.rehearsal import Rehearsing, rehearsed, table_bytes
from domain.errors import Refused
from domain.schema.locks import Lock
from domain.schema.migration import Migration, Revision
from domain.schema.rehearsal import Rehearsal, objections
from domain.schema.settings import Migrations, Smoke

TABLES = """
CREATE TABLE orders (id int PRIMARY KEY, sku text NOT NULL, email text);
INSERT INTO orders SELECT n, 'TEA-' || n % 50, 'p' || n || '@example.com'
  FROM generate_series(1, 1000) n;
CREATE TABLE "Stock" (sku text PRIMARY KEY, quantity int);
"""
MANY = """
INSERT INTO orders SELECT n, 'TEA-' || n % 50, 'p' || n || '@example.com'
  FROM generate_series(1001, 300000) n;
"""
QUERY = """
import os, sys, psycopg
with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
    print(connection.execute(sys.argv[1]).rowcount)
"""
LIMIT_SECONDS = 20.0


@pytest.fixture
def copy(database_url: str) -> Database:
    """A small shop."""
    made = Database(database_url)
    made.build(TABLES)
    return made


def change(*sql: str) -> Migration:
    """A revision for each script."""
    revisions = [Revision(str(n), str(n - 1), str(n), one) for n, one in enumerate(sql, start=1)]
    return Migration("0", str(len(sql)), tuple(revisions))


def code(tmp_path: Path, name: str, smoke: str, load: str = "") -> Exported:
    """A commit whose smoke test and load are one query each."""
    source = tmp_path / name
    source.mkdir()
    (source / "query.py").write_text(QUERY)
    asked = [Smoke(("python", "-m", "query", sql), 10) if sql else None for sql in (smoke, load)]
    return Exported(source, source, asked[0], asked[1], tmp_path / f"{name}-logs")


def limits(most_wait_ms: float = 300, **more: object) -> Migrations:
    settings = {"most_wait_ms": most_wait_ms, "smoke": Smoke(("x",)), "load": Smoke(("x",)), **more}
    return Migrations("migrations", "web", **settings)  # type: ignore[arg-type]


@pytest.fixture
def works(tmp_path: Path) -> Exported:
    """Code that works with every schema."""
    return code(tmp_path, "new", "SELECT 1")


def only(rehearsal: Rehearsal) -> str:
    (objection,) = objections(rehearsal, limits())
    return objection


def waiting(database: Database) -> int:
    rows = database.rows(
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
        " AND wait_event_type = 'Lock'",
        {},
    )
    return len(rows)


def until_two_wait(database: Database) -> None:
    deadline = time.monotonic() + LIMIT_SECONDS
    while waiting(database) < 2:
        assert time.monotonic() < deadline, "the probes never waited"
        time.sleep(0.005)


@pytest.fixture
def held(copy: Database) -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
    """A transaction that takes a lock when the test says so."""
    with psycopg.connect(copy.url) as connection:
        yield connection


def test_a_lock_held_300_ms_is_measured(
    copy: Database, held: "psycopg.Connection[tuple[object, ...]]"
) -> None:
    with Probes(copy.url, ["orders", "absent"]) as probes:
        probes.take()
        held.execute("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
        time.sleep(0.3)  # the length that is measured
        held.rollback()
        (wait,) = probes.take()
        (after,) = probes.take()

    assert wait.table == "orders"
    assert 250 <= wait.reader_ms <= 600
    assert 250 <= wait.writer_ms <= 600
    assert after.reader_ms < 100, "a wait belongs to one window only"


def test_a_lock_that_only_writers_mind_leaves_readers_alone(
    copy: Database, held: "psycopg.Connection[tuple[object, ...]]"
) -> None:
    with Probes(copy.url, ["public.orders"]) as probes:
        probes.take()
        held.execute("LOCK TABLE orders IN SHARE MODE")
        time.sleep(0.3)  # the length that is measured
        held.rollback()
        (wait,) = probes.take()

    assert wait.reader_ms < 200
    assert wait.writer_ms >= 250


def test_a_lock_on_an_index_is_noticed_by_readers(
    copy: Database, held: "psycopg.Connection[tuple[object, ...]]"
) -> None:
    with Probes(copy.url, ["orders"]) as probes:
        probes.take()
        held.execute("REINDEX INDEX orders_pkey")
        time.sleep(0.3)  # the length that is measured
        held.rollback()
        (wait,) = probes.take()

    assert wait.reader_ms >= 250


def test_who_still_waits_counts_with_the_time_so_far_and_is_let_go(
    copy: Database, held: "psycopg.Connection[tuple[object, ...]]"
) -> None:
    with Probes(copy.url, ['"Stock"']) as probes:
        held.execute('LOCK TABLE "Stock" IN ACCESS EXCLUSIVE MODE')
        until_two_wait(copy)
        probes.take()
        time.sleep(0.2)  # the length that is measured
        (wait,) = probes.take()
        began = time.monotonic()

    assert wait.reader_ms >= 200
    assert wait.writer_ms >= 200
    assert time.monotonic() - began < 2
    assert waiting(copy) == 0


def test_a_table_that_goes_away_ends_no_rehearsal(copy: Database) -> None:
    with Probes(copy.url, ["orders"]) as probes:
        copy.build("DROP TABLE orders")
        deadline = time.monotonic() + LIMIT_SECONDS
        while threading.active_count() > 1 and time.monotonic() < deadline:
            time.sleep(0.01)

        assert [wait.table for wait in probes.take()] == ["orders"]


def test_a_rewrite_is_measured_and_objected_to(copy: Database, works: Exported) -> None:
    copy.build(MANY)
    rewrite = change("ALTER TABLE orders ALTER COLUMN id TYPE bigint;")

    found = rehearsed(copy, rewrite, Rehearsing(limits(20), 1, works, None))

    (measured,) = found.measured
    assert measured.seconds > 0.02
    assert Lock("orders", "ACCESS EXCLUSIVE") in measured.locks
    assert measured.growth_bytes > 10_000_000
    assert measured.reader_wait_ms > 20
    assert found.table_bytes["orders"] > 10_000_000
    assert any(
        text.startswith("readers of orders waited") and "against 20 ms" in text
        for text in objections(found, limits(20))
    )


def test_a_concurrent_index_makes_nobody_wait(copy: Database, works: Exported) -> None:
    copy.build(MANY)
    index = change("CREATE INDEX CONCURRENTLY by_sku ON orders (sku);")

    found = rehearsed(copy, index, Rehearsing(limits(), 1, works, None))

    assert objections(found, limits()) == ()
    assert [one.statement.sql for one in found.measured] == [
        "CREATE INDEX CONCURRENTLY by_sku ON orders (sku)"
    ]
    assert found.measured[0].growth_bytes > 1_000_000


def test_a_plain_index_makes_writers_wait(copy: Database, works: Exported) -> None:
    copy.build(MANY)
    index = change("CREATE INDEX by_sku ON orders (sku);")

    (measured,) = rehearsed(copy, index, Rehearsing(limits(), 1, works, None)).measured

    assert measured.locks == (Lock("orders", "SHARE"),)
    assert measured.writer_wait_ms > 2 * measured.reader_wait_ms


def test_those_who_wait_blame_the_lock_and_not_what_follows_it(
    copy: Database, works: Exported
) -> None:
    both = change("ALTER TABLE orders ADD COLUMN note text; SELECT pg_sleep(0.4);")

    found = rehearsed(copy, both, Rehearsing(limits(), 1, works, None))

    alter, sleep = found.measured
    assert alter.reader_wait_ms >= 350
    assert sleep.waits == ()
    assert "put what follows into another revision" in objections(found, limits())[0]


def test_a_backfill_is_one_measurement_of_all_its_batches(copy: Database, works: Exported) -> None:
    fill = change("ALTER TABLE orders ADD COLUMN shop text;",
                  "UPDATE orders SET shop = 'de' WHERE shop IS NULL;")  # fmt: skip

    found = rehearsed(copy, fill, Rehearsing(limits(), 1, works, None))

    _, filled = found.measured
    assert filled.rows == 1000
    assert filled.locks == (Lock("orders", "ROW EXCLUSIVE"),)


def test_a_rename_breaks_the_version_before_and_is_stopped(
    copy: Database, works: Exported, tmp_path: Path
) -> None:
    old = code(tmp_path, "old", "SELECT sku FROM orders LIMIT 1")
    rename = change("ALTER TABLE orders RENAME COLUMN sku TO article;")

    found = rehearsed(copy, rename, Rehearsing(limits(), 1, works, old))

    assert [(one.who, one.exit_code) for one in found.smoked] == [
        ("N-1 on the new schema", 1),
        ("N", 0),
        ("N-1 on rows that N wrote", 1),
    ]
    assert (
        "the smoke test of N-1 on the new schema failed: exit code 1"
        in (objections(found, limits())[0])
    )


def test_rows_of_the_new_version_that_the_old_one_cannot_read_are_found(
    copy: Database, tmp_path: Path
) -> None:
    old = code(tmp_path, "old", "SELECT 1 / (sku <> 'none')::int FROM orders")
    new = code(tmp_path, "new", "INSERT INTO orders VALUES (0, 'none')")
    add = change("ALTER TABLE orders ADD COLUMN note text;")

    found = rehearsed(copy, add, Rehearsing(limits(), 1, new, old))

    assert "N-1 on rows that N wrote failed" in only(found)


def test_failures_of_the_load_beside_the_change_are_found(
    copy: Database, works: Exported, tmp_path: Path
) -> None:
    query = "SELECT sku, pg_sleep(0.05) FROM orders LIMIT 1"
    old = code(tmp_path, "old", "SELECT 1", query)
    rename = change("ALTER TABLE orders RENAME COLUMN sku TO article;", "SELECT pg_sleep(2);")

    found = rehearsed(copy, rename, Rehearsing(limits(), 1, works, old))

    assert found.load
    assert 0 < found.load.failures <= found.load.runs
    assert 'column "sku" does not exist' in found.load.tail
    assert "N-1's load failed beside the change" in only(found)


def test_a_load_that_is_not_disturbed_has_no_failures(
    copy: Database, works: Exported, tmp_path: Path
) -> None:
    old = code(tmp_path, "old", "SELECT 1", "SELECT sku FROM orders")

    found = rehearsed(
        copy, change("CREATE TABLE notes (id int);"), Rehearsing(limits(), 1, works, old)
    )

    assert found.load
    assert found.load.runs >= 1
    assert objections(found, limits()) == ()
    assert found.passed_over == ()


def test_what_could_not_be_tried_is_said(copy: Database, works: Exported) -> None:
    bare = Migrations("migrations", "web")

    found = rehearsed(copy, change("SELECT 1;"), Rehearsing(bare, 1, works, None))

    assert found.passed_over == (
        "N-1: nothing served before",
        "smoke tests: migrations.smoke names no command",
        "N-1's load: migrations.load names no command",
    )


def test_a_unit_that_fails_on_the_copy_is_refused(copy: Database, works: Exported) -> None:
    broken = change("ALTER TABLE nowhere ADD COLUMN x int;")

    with pytest.raises(Refused, match=r'on a copy of the database: .*"nowhere" does not exist'):
        rehearsed(copy, broken, Rehearsing(limits(), 1, works, None))


def test_personal_data_is_hidden_before_anything_looks(copy: Database, tmp_path: Path) -> None:
    new = code(tmp_path, "new", "SELECT 1 / (count(*) = 0)::int FROM orders WHERE email LIKE '%@%'")
    hidden = limits(masks={"orders.email": "'customer ' || id", "public.orders.sku": "'X'"})

    found = rehearsed(copy, change("SELECT 1;"), Rehearsing(hidden, 1, new, None))

    assert found.masked == {"orders.email": 1000, "public.orders.sku": 1000}
    assert [one.exit_code for one in found.smoked] == [0]


@pytest.mark.parametrize(
    ("mask", "expression"),
    [
        ("nowhere.email", "''"),
        ("orders.phone", "''"),
        ("orders.email", "no_such(id)"),
        ("orders.email", "''); DROP TABLE orders; SELECT (''"),
        ("orders.id", "id / 0"),
        ("email", "''"),
        ('orders.email" = null --', "''"),
    ],
)
def test_a_mask_that_is_not_possible_is_named(copy: Database, mask: str, expression: str) -> None:
    with pytest.raises(Refused, match="mask") as refused:
        masked(copy, {"orders.sku": "'X'", mask: expression})

    assert mask in str(refused.value)
    assert copy.rows("SELECT count(*) AS n FROM orders WHERE sku = 'X'", {}) == [{"n": 0}]


def test_a_mask_may_have_percent_signs_and_braces(copy: Database) -> None:
    assert masked(copy, {"orders.email": "'{' || (id % 2) || '}'"}) == {"orders.email": 1000}

    assert copy.rows("SELECT DISTINCT email FROM orders ORDER BY 1", {}) == [
        {"email": "{0}"},
        {"email": "{1}"},
    ]


def test_a_command_that_is_not_there_fails_and_says_so(copy: Database, tmp_path: Path) -> None:
    nothing = Exported(tmp_path, tmp_path, Smoke(("no-such-command",)), None, tmp_path / "logs")

    found = rehearsed(copy, change("SELECT 1;"), Rehearsing(limits(), 1, nothing, None))

    assert "no-such-command: No such file or directory" in only(found)


def test_a_smoke_test_that_hangs_is_ended_at_its_limit(copy: Database, tmp_path: Path) -> None:
    source = code(tmp_path, "new", "SELECT 1").source
    slow = Smoke(("python", "-m", "query", "SELECT pg_sleep(60)"), 1)
    new = Exported(source, source, slow, None, tmp_path / "logs")

    found = rehearsed(copy, change("SELECT 1;"), Rehearsing(limits(), 1, new, None))

    assert "did not end" in only(found)


def test_sizes_are_told_by_the_names_that_statements_use(copy: Database) -> None:
    found = table_bytes(copy, ["orders", "public.orders", '"Stock"', "absent"])

    assert sorted(found) == ['"Stock"', "orders", "public.orders"]
    assert found["orders"] == found["public.orders"] > 0
