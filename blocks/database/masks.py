"""Personal data hidden in a copy of a database, before anybody looks at it."""

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import sql

from blocks.database import Database
from domain.errors import Refused, Unavailable

Connection = psycopg.Connection[tuple[Any, ...]]


def masked(copy: Database, masks: Mapping[str, str]) -> dict[str, int]:
    """Rows that each mask changed; all of them are applied, or none.

    ``masks`` are SQL expressions by "table.column" or "schema.table.column", names exactly as the
    catalogue has them. Raises Refused, naming the mask, when one is not possible.
    """
    try:
        with psycopg.connect(copy.url, connect_timeout=5) as connection:
            for mask, expression in masks.items():
                _check(connection, mask, expression)
            counted = [_applied(connection, some) for some in _by_table(masks).values()]
    except psycopg.OperationalError as error:
        raise Unavailable(f"the copy does not answer: {error}") from error
    return {mask: rows for some in counted for mask, rows in some.items()}


def _by_table(masks: Mapping[str, str]) -> dict[str, dict[str, str]]:
    tables: dict[str, dict[str, str]] = {}
    for mask, expression in masks.items():
        tables.setdefault(mask.rpartition(".")[0], {})[mask] = expression
    return tables


def _check(connection: Connection, mask: str, expression: str) -> None:
    """Plans it on its own, so that what is wrong has a name."""
    if mask.count(".") not in (1, 2):
        raise Refused(f"mask {mask}: its name must be table.column or schema.table.column")
    _asked(connection, sql.SQL("EXPLAIN {}").format(_update({mask: expression})), mask)


def _applied(connection: Connection, masks: Mapping[str, str]) -> dict[str, int]:
    rows = _asked(connection, _update(masks), ", ".join(masks))
    return dict.fromkeys(masks, rows)


def _asked(connection: Connection, query: sql.Composed, names: str) -> int:
    try:
        return connection.execute(query, prepare=True).rowcount  # prepared: one statement only
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        raise Refused(f"mask {names}: {str(error).splitlines()[0]}") from error


def _update(masks: Mapping[str, str]) -> sql.Composed:
    """One UPDATE of the table that all of them are for."""
    table = next(iter(masks)).split(".")[:-1]
    changes = [
        sql.SQL("{} = ({})").format(sql.Identifier(mask.split(".")[-1]), sql.SQL(expression))
        for mask, expression in masks.items()
    ]
    return sql.SQL("UPDATE {} SET {}").format(sql.Identifier(*table), sql.SQL(", ").join(changes))
