"""What is applied at once: transactions as long as they may be, the record at the end."""

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.schema.migration import Migration, Revision, Unit
from domain.schema.units import batched, units

ADD = "ALTER TABLE orders ADD COLUMN a int"
INDEX = "CREATE INDEX CONCURRENTLY i ON orders (a)"
FILL = "UPDATE orders SET a = 0 WHERE a IS NULL AND b > 1"
RECORD = "UPDATE alembic_version SET version_num='0001'"
VALUE = "ALTER TYPE colour ADD VALUE 'blue'"


def split(*scripts: str) -> tuple[Unit, ...]:
    revisions = tuple(
        Revision(f"{number:04}", str(number - 1), str(number), sql)
        for number, sql in enumerate(scripts, start=1)
    )
    return units(Migration("0", str(len(scripts)), revisions))


def ways(*statements: str) -> list[tuple[str, int]]:
    found = split(";".join(statements))
    return [(unit.way, len(unit.statements)) for unit in found]


def test_a_transaction_goes_as_far_as_it_may() -> None:
    found = split(f"BEGIN; {ADD}; {FILL}; {INDEX}; {ADD}2; {RECORD}; COMMIT;")

    assert [(unit.name, unit.way, unit.last) for unit in found] == [
        ("0001/1", "transaction", False),
        ("0001/2", "batches", False),
        ("0001/3", "alone", False),
        ("0001/4", "transaction", True),
    ]
    assert found[3].sql == f"{ADD}2;\n{RECORD};"


def test_a_revision_ends_its_transaction() -> None:
    found = split(ADD, f"{ADD}2")

    assert [(unit.name, unit.last) for unit in found] == [("0001/1", True), ("0002/1", True)]


def test_the_record_comes_last() -> None:
    assert ways(ADD, RECORD, INDEX) == [("transaction", 1), ("alone", 1), ("transaction", 1)]
    assert split(f"{RECORD}; {INDEX}")[-1].sql == f"{RECORD};"


def test_the_records_table_stays_where_it_was() -> None:
    table = "CREATE TABLE alembic_version (version_num text)"

    assert split(f"{table}; {ADD}; {RECORD}")[0].sql == f"{table};\n{ADD};\n{RECORD};"


def test_a_new_value_is_committed_before_it_is_used() -> None:
    assert ways(ADD, VALUE, ADD) == [("transaction", 2), ("transaction", 1)]


def test_code_is_one_unit() -> None:
    (found,) = split("")

    assert (found.way, found.last, found.sql) == ("code", True, ";")


def test_a_revision_without_a_statement_is_applied_as_well() -> None:
    (found,) = split("-- nothing to do")

    assert (found.way, found.last, found.sql) == ("transaction", True, "")


@pytest.mark.parametrize(
    "whole",
    [
        "UPDATE orders SET a = 0",
        "UPDATE orders SET a = 0 WHERE b IS NULL",
        "UPDATE orders SET a = 0 WHERE a IS NULL OR b = 1",
        "UPDATE orders o SET a = 0 WHERE o.a IS NULL",
        "UPDATE orders AS o SET a = 0 WHERE a IS NULL",
        "UPDATE orders SET a = s.b FROM shops s WHERE a IS NULL",
        "UPDATE orders SET a = 0 WHERE a IS NULL RETURNING id",
        "WITH s AS (SELECT 1) UPDATE orders SET a = 0 WHERE a IS NULL",
    ],
)
def test_an_update_that_is_not_plain_goes_at_once(whole: str) -> None:
    assert ways(ADD, whole) == [("transaction", 2)]


def test_what_is_like_a_clause_is_none() -> None:
    fill = "UPDATE orders SET a = b IS DISTINCT FROM c WHERE (a IS NULL AND b > 1) AND c > 1"

    assert ways(ADD, fill) == [("transaction", 1), ("batches", 1)]


def test_filling_a_table_of_its_own_is_no_backfill() -> None:
    assert ways("CREATE TABLE orders (a int, b int)", FILL) == [("transaction", 2)]


@pytest.mark.parametrize(
    ("statement", "bounded"),
    [
        (
            "UPDATE t SET a = b % 2 WHERE a IS NULL",
            "UPDATE t SET a = b %% 2 WHERE (a IS NULL)",
        ),
        (
            "update t\nset a = (select x from y where z)\nwhere\n(a is null) and b like '%where%'",
            "update t\nset a = (select x from y where z)\nwhere"
            " ((a is null) and b like '%%where%%')",
        ),
        (
            "UPDATE t SET a = CASE WHEN b THEN 'where' END WHERE a IS NULL -- (\n AND c",
            "UPDATE t SET a = CASE WHEN b THEN 'where' END WHERE (a IS NULL -- (\n AND c)",
        ),
    ],
)
def test_a_batch_is_bounded_by_where_its_rows_lie(statement: str, bounded: str) -> None:
    assert batched(statement) == f"{bounded} AND ctid >= %(low)s AND ctid < %(high)s"


def test_a_batch_fills_its_own_rows_and_no_others(database_url: str) -> None:
    fill = batched("UPDATE t SET a = 7 % 4 WHERE a IS NULL AND id < 4 -- (")
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "CREATE TABLE t AS SELECT id, NULL::int AS a FROM generate_series(1, 5) id"
        )
        connection.execute("UPDATE t SET a = 9 WHERE id = 1")  # which puts it at the end
        connection.execute(fill.encode(), {"low": "(0,0)", "high": "(0,3)"})
        rows = connection.execute("SELECT id, a FROM t ORDER BY id").fetchall()

    assert rows == [(1, 9), (2, 3), (3, None), (4, None), (5, None)]


@given(st.lists(st.lists(st.sampled_from([ADD, INDEX, FILL, VALUE, RECORD]), max_size=8)))
def test_every_statement_is_in_one_unit_and_every_revision_has_one_last(
    scripts: list[list[str]],
) -> None:
    found = split(*(";\n".join(script) or "--" for script in scripts))

    for number, script in enumerate(scripts, start=1):
        own = [unit for unit in found if unit.revision.name == f"{number:04}"]
        applied = [one.sql for unit in own for one in unit.statements]
        assert sorted(applied) == sorted(script)
        assert [one for one in applied if one != RECORD] == [one for one in script if one != RECORD]
        assert [unit.number for unit in own] == list(range(1, len(own) + 1))
        assert [unit.last for unit in own] == [False] * (len(own) - 1) + [True]
        assert all(len(unit.statements) == 1 for unit in own if unit.way != "transaction")
        assert RECORD not in script or own[-1].statements[-1].sql == RECORD
