"""The ledger's database: every write goes through one place, audited in the same transaction."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, cast

import psycopg
from psycopg import sql
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import Jsonb

from domain.audit import Entry, digest_of_entry
from domain.digest import digest_of
from domain.errors import Unavailable

KEYS: Mapping[str, tuple[str, ...]] = {
    "releases": ("version",),
    "deployments": ("id",),
    "steps": ("scope", "name"),
    "leases": ("name",),
    "approvals": ("id",),
    "serving": ("environment", "service"),
    "quarantine": ("digest",),
    "pauses": ("environment",),
    "findings": ("id",),
    "people": ("name",),
    "identities": ("issuer", "subject"),
    "tokens": ("id",),
    "statements": ("approval", "person"),
    "hotfixes": ("version",),
    "protections": ("version",),
    "overrides": ("id",),
    "drills": ("id",),
}
UNAUDITED_COLUMNS = ("until",)
"""A lease is renewed every few seconds; its epoch and owner are what the audit keeps."""

Observer = Callable[[str, str], None]
Row = dict[str, Any]


class Store:
    """Short transactions on a connection each: a restarted database is met by the next one.

    ``on_write("before" | "after", what)`` is called around every write; tests kill there.
    """

    def __init__(self, url: str, on_write: Observer | None = None) -> None:
        self.url = url
        self._on_write = on_write or (lambda _moment, _what: None)

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection[DictRow]]:
        """One transaction, in UTC; Unavailable when the database does not answer."""
        try:
            with psycopg.connect(
                self.url, row_factory=dict_row, options="-c timezone=UTC", connect_timeout=5
            ) as connection:
                yield connection
        except psycopg.OperationalError as error:
            raise Unavailable(f"the ledger's database does not answer: {error}") from error

    @contextmanager
    def writing(self, what: str, actor: str) -> Iterator["Writer"]:
        self._on_write("before", what)
        with self.connection() as connection:
            yield Writer(connection, what, actor)
        self._on_write("after", what)

    def rows(self, query: str, *values: object) -> list[Row]:
        with self.connection() as connection:
            return connection.execute(query, values).fetchall()

    def row(self, query: str, *values: object) -> Row | None:
        found = self.rows(query, *values)
        return found[0] if found else None


class Writer:
    """Inside one write: inserts and updates rows, and leaves an audit entry for each."""

    def __init__(self, connection: psycopg.Connection[DictRow], action: str, actor: str) -> None:
        self.connection = connection
        self._action = action
        self._actor = actor

    def row(self, query: str, *values: object) -> Row | None:
        return self.connection.execute(query, values).fetchone()

    def now(self) -> datetime:
        """The database's clock: the only one that rows are stamped by."""
        found = self.row("SELECT clock_timestamp() AS now")
        assert found is not None
        return cast(datetime, found["now"])

    def put(self, table: str, values: Row) -> Row:
        """Inserts a row, or sets the given columns of the one with the same key."""
        stated = {name: _stored(value) for name, value in values.items()}
        keys = KEYS[table]
        changed = [name for name in stated if name not in keys]
        query = sql.SQL(
            "INSERT INTO {table} ({columns}) VALUES ({places})"
            " ON CONFLICT ({keys}) DO UPDATE SET {changes} RETURNING *"
        ).format(
            table=sql.Identifier(table),
            columns=_names(stated),
            places=sql.SQL(", ").join(sql.Placeholder() * len(stated)),
            keys=_names(keys),
            changes=sql.SQL(", ").join(_excluded(name) for name in changed),
        )
        return self._written(table, self.connection.execute(query, list(stated.values())))

    def change(self, table: str, key: Row, values: Row) -> Row:
        """Sets columns of one row, which must be there."""
        query = sql.SQL("UPDATE {} SET {} WHERE {} RETURNING *").format(
            sql.Identifier(table), _assigned(values, ", "), _assigned(key, " AND ")
        )
        stated = [_stored(value) for value in (*values.values(), *key.values())]
        return self._written(table, self.connection.execute(query, stated))

    def _written(self, table: str, cursor: psycopg.Cursor[DictRow]) -> Row:
        row = cursor.fetchone()
        assert row is not None, f"no such row in {table}"
        key = {name: row[name] for name in KEYS[table]}
        self._audit(row_name(table, key), self._content(table, key))
        return row

    def _content(self, table: str, key: Row) -> str:
        query = sql.SQL("SELECT to_jsonb(t) AS content FROM {} t WHERE {}").format(
            sql.Identifier(table), _assigned(key, " AND ")
        )
        found = self.connection.execute(query, list(key.values())).fetchone()
        assert found is not None
        return content_digest(found["content"])

    def _audit(self, row: str, content: str) -> None:
        head = self.row(
            "SELECT count, digest, clock_timestamp()::text AS at FROM audit_head FOR UPDATE"
        )
        assert head is not None
        entry = Entry(
            head["count"] + 1, head["at"], self._action, self._actor, row, content, head["digest"]
        )
        digest = digest_of_entry(entry)
        self.connection.execute(
            'INSERT INTO audit (id, at, action, actor, "row", content, previous, digest)'
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            (*vars(entry).values(), digest),
        )
        self.connection.execute("UPDATE audit_head SET count = %s, digest = %s", (entry.id, digest))


def row_name(table: str, key: Mapping[str, Any]) -> str:
    return f"{table} {' / '.join(str(value) for value in key.values())}"


def content_digest(content: Mapping[str, Any]) -> str:
    """Of a row as ``to_jsonb`` shows it, without the columns that the audit does not keep."""
    return digest_of({k: v for k, v in content.items() if k not in UNAUDITED_COLUMNS})


def _stored(value: object) -> object:
    return Jsonb(value) if isinstance(value, dict) else value


def _names(names: Any) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(name) for name in names)


def _excluded(name: str) -> sql.Composed:
    return sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(name))


def _assigned(values: Row, between: str) -> sql.Composed:
    return sql.SQL(between).join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in values)
