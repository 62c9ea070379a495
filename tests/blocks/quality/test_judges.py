"""Great Expectations and plain SQL give the same answer; what cannot be evaluated is no answer."""

from collections.abc import Iterator

import pytest

from blocks.quality.database import Ledger, Schema
from blocks.quality.judges import by_expectations, by_sql
from tests.blocks.quality.shop import AMAZON, Channel, Shop, listed, sold

ROWS = 250


@pytest.fixture
def schema(database_url: str) -> Iterator[Schema]:
    with Schema(Ledger(database_url)).opened() as schema:
        with schema.connection() as connection:
            connection.execute(
                b"CREATE TABLE persisting AS SELECT 'sku ' || n AS key,"
                b" CASE WHEN n <= 240 THEN 'INV-01' ELSE 'ORD-01' END AS check_id"
                b" FROM generate_series(1, 250) n"
            )
        yield schema


def test_both_engines_count_the_same(schema: Schema) -> None:
    checks = ["INV-01", "INV-03", "ORD-01"]

    found, problem = by_expectations(schema, "persisting", checks, ROWS)

    assert problem == ""
    assert found == by_sql(schema, "persisting", checks)
    assert found == {"INV-01": 240, "INV-03": 0, "ORD-01": 10}


def test_an_expectation_that_fails_to_run_is_no_answer(schema: Schema) -> None:
    found, problem = by_expectations(schema, "persisting", ["it's"], ROWS)

    assert found == {}
    assert problem.startswith("it's could not be evaluated: ")


def test_a_table_that_lost_its_rows_passes_nothing(schema: Schema) -> None:
    found, problem = by_expectations(schema, "persisting", ["INV-01"], ROWS + 1)

    assert found == {}
    assert problem == "250 rows where 251 were to be judged"


def test_a_database_that_is_away_is_no_answer(schema: Schema) -> None:
    away = Schema(Ledger("postgresql://nobody@127.0.0.1:1/nothing"), "public")

    found, problem = by_expectations(away, "persisting", ["INV-01"], ROWS)

    assert found == {}
    assert "127.0.0.1" in problem


def test_a_verdict_is_evaluated_by_great_expectations_unless_there_is_too_much(
    database_url: str,
) -> None:
    shop = Shop(database_url).open()
    shop.stock(5)
    before = shop.look(Channel((listed(5),)))
    first = shop.look(Channel((listed(4),), (sold("a"),)))

    judged = shop.quality().judge("production", before.id, first.id, first.id, 100)
    plainly = shop.quality().judge("production", before.id, first.id, first.id, 0)

    assert (judged.engine, judged.problem) == ("great expectations", "")
    assert (plainly.engine, plainly.problem) == ("sql", "")
    assert judged.new == plainly.new
    assert judged.new[AMAZON]["ORD-01"].count == 1
