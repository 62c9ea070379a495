"""Schema changes on a real PostgreSQL: once, fenced, undone, within their limits, and resumed."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import psycopg
import pytest

from blocks.database import Database
from blocks.database.batches import Pace, Progress
from blocks.database.execution import Execution, leftovers
from domain.errors import Failed, Fenced, Refused, Unavailable
from domain.schema.migration import Revision, Statement, Unit, Way
from domain.schema.settings import Batches, Migrations

LIMITS = Migrations("migrations", "web", lock_timeout_ms=50, attempts=3)
PATIENT = Migrations("migrations", "web", attempts=100, batches=Batches(rows=500))
GROW = "ALTER TABLE stock ADD COLUMN note text"
FILL = "UPDATE stock SET place = 'here' WHERE place IS NULL"
STOCKS_INDEXES = (
    "SELECT array_agg(indexrelid::text ORDER BY 1) FROM pg_index WHERE indrelid = 'stock'::regclass"
)
INDEX = "CREATE INDEX CONCURRENTLY stock_quantity ON stock (quantity)"
ROWS = 2000


def unit(*texts: str, way: Way = "transaction", number: int = 1, last: bool = False) -> Unit:
    revision = Revision("0002", "0001", "0002", "\n".join(texts))
    statements = tuple(Statement("0002", text, "expand", "", ("stock",)) for text in texts)
    return Unit(revision, number, way, statements, last)


@pytest.fixture
def database(database_url: str) -> Database:
    """Stock of 2,000 articles, the place of none of them known."""
    made = Database(database_url)
    made.build(
        "CREATE TABLE stock (sku text PRIMARY KEY, quantity int, place text);"
        f"INSERT INTO stock SELECT n, n % 7, NULL FROM generate_series(1, {ROWS}) n"
    )
    return made


def value(database: Database, query: str) -> Any:
    return next(iter(database.rows(f"SELECT ({query}) AS found", {})[0].values()))


def has_note(database: Database) -> bool:
    query = "SELECT 1 FROM information_schema.columns WHERE column_name = 'note'"
    return bool(database.rows(query, {}))


@contextmanager
def open_transaction(database: Database, statement: str) -> Iterator["psycopg.Connection[Any]"]:
    """Holds what ``statement`` locks until the end."""
    with psycopg.connect(database.url) as connection:
        connection.execute(statement.encode())
        yield connection


def at_once(*calls: Callable[[], object]) -> list[object]:
    """What each returned or raised, run in threads of their own."""
    found: list[object] = [None] * len(calls)

    def run(number: int) -> None:
        try:
            found[number] = calls[number]()
        except Exception as error:
            found[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def until(condition: Callable[[], object], limit_seconds: float = 10) -> None:
    end = time.monotonic() + limit_seconds
    while not condition():
        assert time.monotonic() < end, f"not within {limit_seconds} s"
        time.sleep(0.01)


def blocked(database: Database) -> int:
    return int(value(database, "SELECT count(*) FROM pg_locks WHERE NOT granted"))


def test_a_unit_is_applied_once_and_says_what_it_did(database: Database) -> None:
    execution = Execution(database, LIMITS, 1)
    change = unit(GROW, "UPDATE stock SET note = 'x' WHERE quantity = 0")

    first, second = execution.apply(change), execution.apply(change)

    assert (first.now, first.rows, first.attempts) == (True, ROWS // 7, 1)
    assert (second.now, second.rows) == (False, 0)


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize(
    ("way", "text"), [("transaction", GROW), ("alone", INDEX), ("batches", FILL)]
)
def test_many_executors_at_once_apply_it_once(
    database: Database, way: Way, text: str, last: bool
) -> None:
    change = unit(text, way=way, last=last)

    found = at_once(*[lambda: Execution(database, PATIENT, 1).apply(change)] * 6)

    assert [one for one in found if isinstance(one, BaseException)] == []
    assert sorted(one.now for one in found) == [False] * 5 + [True]  # type: ignore[attr-defined]


@pytest.mark.parametrize("way", ["transaction", "alone", "batches", "code"])
def test_an_executor_with_an_older_epoch_is_fenced(database: Database, way: Way) -> None:
    Execution(database, LIMITS, 7).claim()
    text = {"transaction": GROW, "alone": INDEX, "batches": FILL, "code": "SELECT 1"}[way]
    ran: list[Revision] = []

    with pytest.raises(Fenced, match="epoch 6 is over, the database has seen 7"):
        Execution(database, LIMITS, 6).apply(unit(text, way=way), ran.append)

    assert not has_note(database)
    assert value(database, "SELECT to_regclass('stock_quantity')") is None
    assert value(database, "SELECT count(place) FROM stock") == 0
    assert ran == []


def test_a_fence_is_not_raised_by_what_was_undone(database: Database) -> None:
    with pytest.raises(Failed):
        Execution(database, LIMITS, 9).apply(unit("SELECT 1 / 0"))

    assert Execution(database, LIMITS, 8).apply(unit(GROW)).now


def test_what_fails_in_the_middle_leaves_nothing(database: Database) -> None:
    execution = Execution(database, LIMITS, 1)

    with pytest.raises(Failed, match="migration to 0002 failed, undone"):
        execution.apply(unit(GROW, "ALTER TABLE nowhere ADD COLUMN x int"))

    assert not has_note(database)
    assert execution.apply(unit(GROW)).now, "a failed attempt must not count as applied"


def test_a_unit_that_was_applied_with_other_sql_is_refused(database: Database) -> None:
    execution = Execution(database, LIMITS, 1)
    execution.apply(unit(GROW))

    with pytest.raises(Refused, match="0002/1 was applied with other SQL"):
        execution.apply(unit("ALTER TABLE stock ADD COLUMN other text"))


def test_a_schema_taken_back_by_hand_can_be_migrated_again(database: Database) -> None:
    units = unit(GROW), unit("SELECT 1", number=2, last=True)
    for one in units:
        assert Execution(database, LIMITS, 1).apply(one).now
    database.build("ALTER TABLE stock DROP COLUMN note")

    again = Execution(database, LIMITS, 2)
    again.claim()

    assert [again.apply(one).now for one in units] == [True, True]
    assert has_note(database)


def test_the_watch_sees_the_locks_of_each_statement(database: Database) -> None:
    seen: list[tuple[str, str, int]] = []

    def watch(connection: Any, statement: Statement, seconds: float, rows: int) -> None:
        modes = connection.execute(
            "SELECT string_agg(mode, ',') FROM pg_locks"
            " WHERE pid = pg_backend_pid() AND relation = 'stock'::regclass"
        ).fetchone()
        seen.append((statement.sql, modes[0], rows))
        assert 0 <= seconds < 10

    Execution(database, LIMITS, 1, watch).apply(unit("SELECT * FROM stock LIMIT 3", GROW))

    assert [(text, rows) for text, _, rows in seen] == [
        ("SELECT * FROM stock LIMIT 3", 3),
        (GROW, 0),
    ]
    assert "AccessExclusiveLock" not in seen[0][1]
    assert "AccessExclusiveLock" in seen[1][1]


def test_a_lock_that_is_not_free_is_given_up_in_time(database: Database) -> None:
    execution = Execution(database, LIMITS, 1)

    with (
        open_transaction(database, "SELECT * FROM stock"),
        pytest.raises(Failed, match=r"no lock within 0\.1 s, undone"),
    ):
        execution.apply(unit(GROW))

    assert execution.apply(unit(GROW)).now


def test_a_lock_that_becomes_free_is_taken_by_a_later_attempt(database: Database) -> None:
    with open_transaction(database, "SELECT * FROM stock") as reader:
        threading.Timer(0.5, reader.cancel).start()
        release = threading.Timer(0.5, reader.rollback)
        release.start()
        applied = Execution(database, PATIENT, 1).apply(unit(GROW))
        release.join()

    assert applied.attempts > 1
    assert 300 < applied.waited_ms < 5000


def test_a_statement_that_takes_too_long_is_undone(database: Database) -> None:
    hasty = Migrations("m", "web", statement_timeout_seconds=0.2)

    with pytest.raises(Failed, match="0002/1: canceling statement due to statement timeout"):
        Execution(database, hasty, 1).apply(unit(GROW, "SELECT pg_sleep(5)"))

    assert not has_note(database)


def test_a_reader_behind_an_alter_waits_for_about_the_lock_timeout(database: Database) -> None:
    limits = Migrations("m", "web", lock_timeout_ms=200, attempts=4)
    worst, over = [0.0], threading.Event()

    def read() -> None:
        with psycopg.connect(database.url, autocommit=True) as reader:
            while not over.is_set():
                began = time.monotonic()
                reader.execute("SELECT 1 FROM stock LIMIT 1")
                worst[0] = max(worst[0], time.monotonic() - began)

    def alter() -> None:
        try:
            with pytest.raises(Failed, match="no lock"):
                Execution(database, limits, 1).apply(unit(GROW))
        finally:
            over.set()

    with open_transaction(database, "SELECT * FROM stock"):
        assert at_once(read, alter) == [None, None]

    assert 0.1 < worst[0] < 0.4


def test_an_executor_killed_by_a_newer_one_is_told(database: Database) -> None:
    older, newer = Execution(database, PATIENT, 1), Execution(database, PATIENT, 2)

    def claim() -> None:
        until(
            lambda: value(
                database, "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
            )
        )
        newer.claim()

    found = at_once(lambda: older.apply(unit(GROW, "SELECT pg_sleep(30)")), claim)

    assert isinstance(found[0], Unavailable)
    assert found[1] is None
    with pytest.raises(Fenced):
        older.apply(unit(GROW))
    assert not has_note(database)


def test_an_index_that_a_failed_build_left_is_gone_and_built_again(database: Database) -> None:
    text = "CREATE UNIQUE INDEX CONCURRENTLY stock_quantity ON stock (quantity)"
    with psycopg.connect(database.url, autocommit=True) as person:
        with pytest.raises(psycopg.errors.UniqueViolation):
            person.execute(text.encode())
        assert leftovers(database, 1) == ("index stock_quantity on stock is INVALID",)
        person.execute("DELETE FROM stock WHERE sku::int > 6")

    assert Execution(database, LIMITS, 1).apply(unit(text, way="alone")).now

    assert value(database, "SELECT indisvalid FROM pg_index"
                           " WHERE indexrelid = 'stock_quantity'::regclass")  # fmt: skip
    assert leftovers(database, 1) == ()


def test_a_build_that_cannot_work_leaves_no_invalid_index(database: Database) -> None:
    text = "CREATE UNIQUE INDEX CONCURRENTLY stock_quantity ON stock (quantity)"

    with pytest.raises(Failed, match="could not create unique index"):
        Execution(database, LIMITS, 1).apply(unit(text, way="alone"))

    assert value(database, "SELECT to_regclass('stock_quantity')") is None


@pytest.mark.parametrize(
    "there",
    [
        "CREATE INDEX stock_quantity ON stock (place)",
        "CREATE UNIQUE INDEX stock_quantity ON stock (sku)",
        "CREATE INDEX stock_quantity ON stock (quantity) WHERE place IS NULL",
        "CREATE TABLE other (quantity int); CREATE INDEX stock_quantity ON other (quantity)",
    ],
)
def test_another_index_of_that_name_is_never_taken_for_it(database: Database, there: str) -> None:
    database.build(there)

    with pytest.raises(Failed, match="index stock_quantity is there already, as another"):
        Execution(database, LIMITS, 1).apply(unit(INDEX, way="alone"))


@pytest.mark.parametrize(
    "text",
    [
        INDEX,
        'CREATE INDEX CONCURRENTLY IF NOT EXISTS "Odd name" ON public.stock'
        " (lower(place), sku DESC) INCLUDE (quantity) WHERE quantity > 3",
        "-- why\nCREATE UNIQUE INDEX CONCURRENTLY s ON ONLY stock"
        " USING btree (sku text_pattern_ops)",
    ],
)
def test_the_same_index_made_before_counts_as_done(database: Database, text: str) -> None:
    database.build(text.replace("CONCURRENTLY ", ""))
    before = value(database, STOCKS_INDEXES)

    assert Execution(database, LIMITS, 1).apply(unit(text, way="alone")).now

    assert value(database, STOCKS_INDEXES) == before


def test_an_index_without_a_name_is_refused(database: Database) -> None:
    text = "CREATE INDEX CONCURRENTLY ON stock (quantity)"

    with pytest.raises(Refused, match="it has no name"):
        Execution(database, LIMITS, 1).apply(unit(text, way="alone"))


def test_a_dropped_index_stays_dropped(database: Database) -> None:
    database.build("CREATE INDEX stock_quantity ON stock (quantity)")
    execution = Execution(database, LIMITS, 1)
    drop = unit("DROP INDEX CONCURRENTLY stock_quantity", way="alone")

    assert execution.apply(drop).now

    assert value(database, "SELECT to_regclass('stock_quantity')") is None
    assert not execution.apply(drop).now


def test_an_index_that_a_killed_executor_dropped_counts_as_dropped(database: Database) -> None:
    drop = unit("DROP INDEX CONCURRENTLY stock_quantity", way="alone")

    assert Execution(database, LIMITS, 1).apply(drop).now


def test_a_build_waits_for_a_long_transaction_and_blocks_nobody(database: Database) -> None:
    with open_transaction(database, "UPDATE stock SET quantity = 9 WHERE sku = '1'") as writer:
        build = threading.Thread(
            target=lambda: Execution(database, LIMITS, 1).apply(unit(INDEX, way="alone"))
        )
        build.start()
        until(lambda: blocked(database))
        began = time.monotonic()
        database.build("UPDATE stock SET quantity = 8 WHERE sku = '2'")
        assert time.monotonic() - began < LIMITS.lock_timeout_ms / 1000 * 2
        time.sleep(2 * LIMITS.lock_timeout_ms / 1000)  # beyond its lock_timeout
        writer.commit()
        build.join()

    assert leftovers(database, 2) == ()
    assert value(database, "SELECT to_regclass('stock_quantity') IS NOT NULL")


@pytest.mark.parametrize(
    ("before", "text", "left"),
    [
        ("SELECT 1", INDEX, "stock_quantity"),
        (INDEX.replace("CONCURRENTLY", ""), "REINDEX INDEX CONCURRENTLY stock_quantity",
         "stock_quantity_ccnew"),
    ],
)  # fmt: skip
def test_a_newer_executor_ends_an_older_build_and_finishes_it(
    database: Database, before: str, text: str, left: str
) -> None:
    database.build(before)
    older, newer = Execution(database, LIMITS, 1), Execution(database, PATIENT, 2)
    change = unit(text, way="alone")
    with open_transaction(database, "UPDATE stock SET quantity = 9 WHERE sku = '1'") as writer:

        def go_on() -> object:
            try:
                until(lambda: blocked(database))
                newer.claim()
                found = leftovers(database, 2)
            finally:
                writer.commit()
            return found, newer.apply(change).now

        ends = at_once(lambda: older.apply(change), go_on)

    assert isinstance(ends[0], Unavailable)
    assert ends[1] == ((f"index {left} on stock is INVALID",), True)
    assert leftovers(database, 3) == ()


def test_a_backfill_reaches_every_row_in_batches(database: Database) -> None:
    seen: list[Progress] = []
    execution = Execution(database, PATIENT, 1, pace=Pace(seen.append))

    applied = execution.apply(unit(FILL, way="batches"))

    assert (applied.now, applied.rows) == (True, ROWS)
    assert value(database, "SELECT count(*) FROM stock WHERE place IS NULL") == 0
    assert len(seen) >= ROWS // PATIENT.batches.rows - 1
    assert [one.blocks for one in seen] == sorted(one.blocks for one in seen)
    assert value(database, "SELECT count(*) FROM tradewind.backfill") == 0


def test_a_backfill_that_died_goes_on_where_it_was(database: Database) -> None:
    batches = count(1)

    def die(*_: object) -> None:
        if next(batches) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Execution(database, PATIENT, 1, die).apply(unit(FILL, way="batches"))
    left = value(database, "SELECT count(*) FROM stock WHERE place IS NULL")
    touched: list[int] = []
    next_epoch = Execution(database, PATIENT, 2, lambda *seen: touched.append(seen[3]))
    applied = next_epoch.apply(unit(FILL, way="batches"))

    assert 0 < left < ROWS
    assert sum(touched) == left
    assert applied.rows == ROWS, "what was done before counts"


def test_rows_that_come_in_behind_a_backfill_are_filled_too(database: Database) -> None:
    late = iter(["early", "later"])

    def write(*_: object) -> None:
        if name := next(late, None):
            database.build(f"INSERT INTO stock VALUES ('{name}', 1, NULL)")

    applied = Execution(database, PATIENT, 1, write).apply(unit(FILL, way="batches"))

    assert applied.rows == ROWS + 2
    assert value(database, "SELECT count(*) FROM stock WHERE place IS NULL") == 0


def test_a_backfill_that_never_ends_says_why(database: Database) -> None:
    same = "UPDATE stock SET place = NULL WHERE place IS NULL AND sku = '1'"

    with pytest.raises(Failed, match="1 rows still match after 5 rounds"):
        Execution(database, PATIENT, 1).apply(unit(same, way="batches"))


def test_a_backfill_lets_those_who_wait_for_locks_go_first(database: Database) -> None:
    seen: list[Progress] = []
    execution = Execution(database, PATIENT, 1, pace=Pace(seen.append))
    database.build("CREATE TABLE elsewhere (n int)")
    with (
        open_transaction(database, "LOCK elsewhere") as holder,
        psycopg.connect(database.url) as waiter,
    ):
        queue = threading.Thread(target=waiter.execute, args=("SELECT * FROM elsewhere",))
        queue.start()
        until(lambda: blocked(database))

        def let_go() -> None:
            try:
                until(lambda: [one for one in seen if one.waits_for])
            finally:
                holder.commit()

        found = at_once(lambda: execution.apply(unit(FILL, way="batches")), let_go)
        queue.join()

    assert found[0].rows == ROWS  # type: ignore[attr-defined]
    assert "1 sessions that wait for locks, limit 0" in {one.waits_for for one in seen}


def test_a_backfill_is_paused_by_a_person(database: Database) -> None:
    seen: list[Progress] = []
    pauses = iter([False, True, True, True])
    pace = Pace(seen.append, lambda: next(pauses, False))

    Execution(database, PATIENT, 1, pace=pace).apply(unit(FILL, way="batches"))

    assert "a person to end the pause" in {one.waits_for for one in seen}
    assert value(database, "SELECT count(*) FROM stock WHERE place IS NULL") == 0


def test_a_batch_that_takes_too_long_is_made_smaller(database: Database) -> None:
    database.build(
        "DROP TABLE stock; CREATE TABLE stock AS"
        " SELECT n AS sku, repeat('x', 1000) AS wide, NULL AS place FROM generate_series(1, 300) n;"
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN PERFORM pg_sleep(0.005); RETURN NEW; END';"
        "CREATE TRIGGER slow BEFORE UPDATE ON stock FOR EACH ROW EXECUTE FUNCTION slow()"
    )
    limits = Migrations("m", "web", statement_timeout_seconds=0.5, batches=Batches(rows=10_000))
    sizes: list[int] = []

    applied = Execution(database, limits, 1, lambda *seen: sizes.append(seen[3])).apply(
        unit(FILL, way="batches")
    )

    assert applied.rows == 300
    assert max(sizes) < 300


def test_a_rival_waits_while_code_runs(database: Database) -> None:
    code = unit("", way="code")
    inside, done = threading.Event(), threading.Event()

    def run(_: Revision) -> None:
        inside.set()
        assert done.wait(10)

    def rivals() -> list[type]:
        assert inside.wait(10)
        kinds = []
        for execution in (
            Execution(database, LIMITS, 1).apply,
            Execution(database, LIMITS, 2).apply,
        ):
            with pytest.raises(Failed, match="no lock") as error:
                execution(unit(GROW, number=2))
            kinds.append(error.type)
        with pytest.raises(Unavailable, match="another executor's step still runs"):
            Execution(database, LIMITS, 2).claim()
        done.set()
        return kinds

    found = at_once(lambda: Execution(database, LIMITS, 1).apply(code, run).now, rivals)

    assert found == [True, [Failed, Failed]]
    assert not Execution(database, LIMITS, 1).apply(code, run).now


def test_code_may_build_an_index_beside_the_traffic(database: Database) -> None:
    def run(_: Revision) -> None:
        with psycopg.connect(database.url, autocommit=True) as connection:
            connection.execute("SET statement_timeout = '5s'")
            connection.execute(INDEX.encode())

    assert Execution(database, LIMITS, 1).apply(unit("", way="code"), run).now


def test_code_that_fails_does_not_count(database: Database) -> None:
    def run(_: Revision) -> None:
        raise Failed("the service's own code ended with 1")

    ran: list[Revision] = []
    execution = Execution(database, LIMITS, 1)
    with pytest.raises(Failed, match="ended with 1"):
        execution.apply(unit("", way="code"), run)

    assert execution.apply(unit("", way="code"), ran.append).now
    assert len(ran) == 1


def test_a_database_that_is_away_is_unavailable() -> None:
    nowhere = Database("postgresql://postgres:@/none?host=/nonexistent")

    with pytest.raises(Unavailable, match="the database does not answer"):
        Execution(nowhere, LIMITS, 1).apply(unit(GROW))
