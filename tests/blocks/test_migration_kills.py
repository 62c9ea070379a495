"""Kill -9 of a migration's executor anywhere: what the next one goes on with comes out right."""

import multiprocessing
import random
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

import psycopg
import pytest

from blocks.database import Database
from blocks.database.execution import leftovers
from tests.blocks import mortal

MOST_DEATHS = 500
LIFE_SECONDS = 30.0
SURVIVED = 0
EXECUTORS = "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'tradewind epoch %%'"
BUILDING = (
    "SELECT pid FROM pg_stat_activity"
    " WHERE query LIKE 'CREATE UNIQUE INDEX CONCURRENTLY%%' AND wait_event_type = 'Lock'"
)


@pytest.fixture
def database(database_url: str) -> Database:
    made = Database(database_url)
    made.build(mortal.BEGINNING)
    return made


def started(database: Database, epoch: int, seen: str = "", nap_seconds: float = 0) -> BaseProcess:
    workers = multiprocessing.get_context("forkserver")
    workers.set_forkserver_preload(["tests.blocks.mortal"])
    arguments = (database.url, epoch, seen, nap_seconds)
    executor = workers.Process(target=mortal.execute, args=arguments)
    executor.start()
    return executor


def ended(executor: BaseProcess) -> int:
    executor.join(LIFE_SECONDS)
    assert executor.exitcode in (SURVIVED, -9), f"ended with {executor.exitcode}"
    return executor.exitcode


def until(condition: Callable[[], object], limit_seconds: float) -> None:
    end = time.monotonic() + limit_seconds
    while not condition():
        assert time.monotonic() < end, f"not within {limit_seconds} s"
        time.sleep(0.01)


def assert_came_out_right(database: Database, epoch: int) -> None:
    def one(query: str) -> object:
        return next(iter(database.rows(query, {})[0].values()))

    ledger = database.rows("SELECT unit FROM ledger_of_tests ORDER BY unit", {})
    assert [row["unit"] for row in ledger] == ["code", "contract", "ddl", "end"]
    assert one("SELECT string_agg(name, ',') FROM version") == "0003"
    touched = database.rows("SELECT touched, place FROM stock GROUP BY 1, 2", {})
    assert touched == [{"touched": 1, "place": "here"}], "each row was filled, and once"
    columns = (
        "SELECT column_name AS name FROM information_schema.columns WHERE table_name = 'stock'"
    )
    found = {row["name"] for row in database.rows(columns, {})}
    assert found == {"sku", "quantity", "touched", "place"}
    assert one("SELECT indisvalid FROM pg_index WHERE indexrelid = 'stock_place'::regclass")
    assert one("SELECT count(*) FROM tradewind.applied") == 0
    assert one("SELECT count(*) FROM tradewind.backfill") == 0
    until(lambda: not database.rows(EXECUTORS, {}), 3)
    assert leftovers(database, epoch + 1) == ()


def test_killed_at_every_statement_and_commit_it_is_applied_once(
    database: Database, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    seen.touch()

    for epoch in range(1, MOST_DEATHS):
        if ended(started(database, epoch, str(seen))) == SURVIVED:
            break

    places = seen.read_text().splitlines()
    print(f"{len(places)} deaths")
    assert len(places) == epoch - 1 > 100
    assert len({place for place in places if "UPDATE stock" in place}) >= 10, "every batch"
    assert_came_out_right(database, epoch)


def test_killed_at_any_time_it_is_applied_once(database: Database) -> None:
    chance = random.Random(20261125)
    deaths = 0

    for epoch in range(1, MOST_DEATHS):
        executor = started(database, epoch, nap_seconds=0.1)
        executor.join(chance.uniform(0.02, 0.06 * epoch))
        executor.kill()
        if ended(executor) == SURVIVED:
            break
        deaths += 1

    print(f"{deaths} deaths")
    assert deaths >= 3
    assert_came_out_right(database, epoch)


def test_killed_while_it_builds_an_index_the_index_is_built_again(database: Database) -> None:
    with psycopg.connect(database.url) as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        reader.execute("SELECT 1")  # a build waits for whoever may see the table without the index
        first = started(database, 1)
        until(lambda: database.rows(BUILDING, {}), 10)
        first.kill()
        ended(first)
        until(lambda: not database.rows(EXECUTORS, {}), 3)
        left = leftovers(database, 2)

    second = ended(started(database, 2))

    assert left == ("index stock_place on stock is INVALID",)
    assert second == SURVIVED
    assert_came_out_right(database, 2)
