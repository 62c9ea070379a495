"""Orders of a drill's own in a shop's database: written, found again, taken away."""

from collections.abc import Sequence
from typing import Any

import psycopg

from blocks.database import Database
from domain.drills.settings import Marker
from domain.errors import Failed, Refused

US = "tradewind drill"


def moment(database: Database) -> float:
    """What time it is there, in seconds since 1970."""
    (row,) = database.rows("SELECT extract(epoch FROM clock_timestamp())::float8 AS now", {})
    return float(row["now"])


def write(database: Database, marker: Marker, keys: Sequence[str]) -> list[float]:
    """Each in a transaction of its own; answers when each was committed, by the database's clock.

    One that is there already stays. Raises Refused when the statement is wrong.
    """
    return [_write(database, marker, key) for key in keys]


def _write(database: Database, marker: Marker, key: str) -> float:
    if not found(database, marker, (key,)):
        try:
            _execute(database, marker.write, key)
        except psycopg.Error as error:
            raise Refused(f"drills.marker.write: {error}") from error
    return moment(database)


def found(database: Database, marker: Marker, keys: Sequence[str]) -> list[str]:
    """The keys that are there. Raises Refused when the query is wrong."""
    try:
        return [key for key in keys if database.rows(marker.find, {"key": key})]
    except psycopg.Error as error:
        raise Refused(f"drills.marker.find: {error}") from error


def remove(database: Database, marker: Marker, keys: Sequence[str]) -> None:
    """Raises Failed when one is still there afterwards."""
    try:
        for key in keys:
            _execute(database, marker.remove, key)
    except psycopg.Error as error:
        raise Failed(f"drills.marker.remove: {error}") from error
    left = found(database, marker, keys)
    if left:
        raise Failed(f"drills.marker.remove left {', '.join(left)}")


def _execute(database: Database, statement: str, key: str) -> None:
    values: dict[str, Any] = {"key": key}
    with database.session(US) as connection:
        connection.execute(statement.encode(), values)
