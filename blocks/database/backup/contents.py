"""What a database holds, seen on one snapshot: rows and checksums of its tables, and invariants."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from blocks.database import Database
from blocks.database.backup.programs import LIMIT_SECONDS, LOCK_SECONDS
from domain.errors import Failed, Unavailable

SETTINGS = {
    "bytea_output": "hex",
    "datestyle": "ISO",
    "extra_float_digits": "3",
    "idle_in_transaction_session_timeout": "0",
    "intervalstyle": "postgres",
    "lc_monetary": "C",
    "lock_timeout": f"{LOCK_SECONDS:.0f}s",
    "row_security": "off",
    "search_path": "pg_catalog",
    "statement_timeout": f"{LIMIT_SECONDS:.0f}s",
    "timezone": "UTC",
}
"""A row's text must be the same in every database, whatever its own settings say."""
SHOWN_CHARACTERS = 300


@contextmanager
def snapshot(database: Database, name: str = "") -> Iterator["psycopg.Connection[Any]"]:
    """A read-only connection that sees one moment; Unavailable or Failed when it cannot."""
    try:
        with psycopg.connect(database.url, application_name=name) as connection:
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            for setting, value in SETTINGS.items():
                connection.execute("SELECT set_config(%s, %s, true)", (setting, value))
            yield connection
    except psycopg.OperationalError as error:
        raise Unavailable(f"the database does not answer: {error}") from error
    except psycopg.Error as error:
        raise Failed(f"the database cannot be read: {error}") from error


def contents(connection: "psycopg.Connection[Any]") -> dict[str, list[int]]:
    """Row count and checksum (a sum of hashes, so without an order) of every table of the shop."""
    tables = connection.execute(
        "SELECT schemaname, tablename FROM pg_tables"
        " WHERE schemaname !~ '^pg_' AND schemaname <> 'information_schema' ORDER BY 1, 2"
    ).fetchall()
    return {f"{schema}.{table}": _counted(connection, schema, table) for schema, table in tables}


def _counted(connection: "psycopg.Connection[Any]", schema: str, table: str) -> list[int]:
    query = sql.SQL(
        "SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)), 0)::text FROM {} t"
    ).format(sql.Identifier(schema, table))
    row = connection.execute(query).fetchone()
    assert row is not None
    return [int(row[0]), int(row[1])]


def upheld(database: Database, invariants: Mapping[str, str]) -> None:
    """Every query, by name, finds no row; Failed names the first that does, and the row."""
    for name, query in invariants.items():
        row = _first(database, name, query)
        if row is not None:
            raise Failed(f"invariant {name} does not hold: {str(row)[:SHOWN_CHARACTERS]}")


def _first(database: Database, name: str, query: str) -> Any:
    """The shop's own query sees the database as the shop does, without our settings."""
    try:
        with (
            psycopg.connect(database.url, row_factory=dict_row) as connection,
            connection.cursor(name="invariant") as cursor,
        ):
            connection.execute("SET TRANSACTION READ ONLY")
            return cursor.execute(query.encode()).fetchone()
    except psycopg.Error as error:
        raise Failed(f"invariant {name} cannot be asked: {error}") from error
