"""A shop's database put back to a backup: nobody writes, and what came since is replayed."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from hashlib import file_digest
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from blocks.database import Database, named
from blocks.database.backup import Backup, restored, taken
from blocks.database.fence import Session
from domain.errors import Failed, Refused
from domain.schema.settings import Backups, Delta

SERVER = "postgres"
"""The database that every server has: one cannot rename the one it is connected to."""
US = "tradewind restore"
END_MS = 10_000
READ_ONLY = "default_transaction_read_only"
OTHERS = """
SELECT pg_terminate_backend(pid, %s) FROM pg_stat_activity
 WHERE datname = %s AND pid <> pg_backend_pid() AND application_name <> %s
"""
SETTINGS = """
SELECT split_part(one, '=', 1), substr(one, strpos(one, '=') + 1)
  FROM pg_db_role_setting, unnest(setconfig) AS one
 WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = %s) AND setrole = 0
"""


def read_only(database: Database) -> None:
    """Whoever connects from now on may only read; who is connected is cut off."""
    _set_read_only(database, sql.SQL("SET {} = on").format(sql.Identifier(READ_ONLY)))


def writable(database: Database) -> None:
    _set_read_only(database, sql.SQL("RESET {}").format(sql.Identifier(READ_ONLY)))


def _set_read_only(database: Database, how: sql.Composed) -> None:
    name = name_of(database)
    with _server(database) as server:
        server.execute(sql.SQL("ALTER DATABASE {} {}").format(sql.Identifier(name), how))
        server.execute(OTHERS, (END_MS, name, US))


def counted(database: Database, deltas: Mapping[str, Delta], since: str) -> dict[str, int]:
    """Rows per delta since that time, ISO 8601. Refused when a query is wrong."""
    with database.session(US) as connection:
        return {name: _count(connection, name, delta, since) for name, delta in deltas.items()}


def _count(connection: Session, name: str, delta: Delta, since: str) -> int:
    query = f"SELECT count(*) FROM ({delta.export}) AS delta"
    try:
        row = connection.execute(query.encode(), {"since": since}).fetchone()
    except psycopg.Error as error:
        raise Refused(f"migrations.deltas.{name}.export: {error}") from error
    assert row is not None
    return int(row[0])


def exported(
    database: Database, deltas: Mapping[str, Delta], since: str, folder: Path
) -> dict[str, list[int | str]]:
    """Rows since that time as lines of JSON, a file for each delta: rows and SHA-256 by its name.

    Every value is PostgreSQL's own text of it, or null: nothing is rounded on the way.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with database.session(US) as connection, connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        connection.execute("SET LOCAL timezone = 'UTC'")
        return {
            name: _export(connection, delta, since, folder / f"{name}.jsonl")
            for name, delta in deltas.items()
        }


def _export(connection: Session, delta: Delta, since: str, file: Path) -> list[int | str]:
    cursor = connection.execute(delta.export.encode(), {"since": since})
    columns = [column.name for column in cursor.description or ()]
    result = cursor.pgresult
    assert result is not None  # it was executed
    with file.open("w") as lines:
        for row in range(result.ntuples):
            values = (result.get_value(row, place) for place in range(len(columns)))
            texts = (None if value is None else value.decode() for value in values)
            lines.write(json.dumps(dict(zip(columns, texts, strict=True))) + "\n")
    return [result.ntuples, _digest(file)]


def replayed(
    database: Database, deltas: Mapping[str, Delta], known: Mapping[str, list[int | str]],
    folder: Path,
) -> dict[str, int]:  # fmt: skip
    """Puts exported rows in, in one transaction; what is there already stays. Rows put in, by name.

    Raises Failed when a file is not what was exported, or a row is not taken: nothing is in then.
    """
    with database.session(US) as connection, connection.transaction():
        return {
            name: _replay(connection, name, delta, known[name], folder)
            for name, delta in deltas.items()
        }


def _replay(
    connection: Session, name: str, delta: Delta, known: list[int | str], folder: Path
) -> int:
    file = folder / f"{name}.jsonl"
    if _digest(file) != known[1]:
        raise Failed(f"{file.name} is not what was exported")
    rows = 0
    for line in file.read_text().splitlines():
        try:
            cursor = connection.execute(delta.replay.encode(), json.loads(line))
        except psycopg.Error as error:
            raise Failed(f"{name} does not take {line[:200]}: {error}") from error
        rows += max(cursor.rowcount, 0)
    return rows


def built(database: Database, backup: Backup, settings: Backups, key: str, fresh: str) -> Database:
    """The backup, proven, as a database called ``fresh`` beside the other, with its owner.

    One that an earlier attempt left is made anew.
    """
    place = Database(named(database.url, fresh))
    with _on_the_server(database, backup, settings, key) as copy, _server(database) as server:
        made = sql.Identifier(fresh)
        drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        server.execute(drop.format(made))
        server.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(
                made, sql.Identifier(name_of(copy)), sql.Identifier(_owner(server, database))
            )
        )
        _carry_settings(server, name_of(database), made)
    return place


@contextmanager
def _on_the_server(
    database: Database, backup: Backup, settings: Backups, key: str
) -> Iterator[Database]:
    """A physical copy has a server of its own: it is dumped once more, to come over."""
    with restored(database, backup, settings, key) as copy:
        if backup.kind == "dump":
            yield copy
            return
        logical = replace(settings, physical_above_gb=0)
        with tempfile.TemporaryDirectory(prefix="tradewind-restore-") as folder:
            dumped = taken(copy, Path(folder) / "dump", logical, "")
            with restored(database, dumped, logical, "") as come_over:
                yield come_over


def _owner(server: Session, database: Database) -> str:
    row = server.execute(
        "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = %s", [name_of(database)]
    ).fetchone()
    assert row is not None  # we are connected to its server by its name
    return str(row[0])


def _carry_settings(server: Session, live: str, fresh: sql.Identifier) -> None:
    """What ALTER DATABASE … SET said of the other, but that it may only be read."""
    for setting, value in server.execute(SETTINGS, [live]).fetchall():
        if setting != READ_ONLY:
            how = sql.SQL("ALTER DATABASE {} SET {} = {}")
            server.execute(how.format(fresh, sql.Identifier(setting), sql.Literal(value)))


def swapped(database: Database, fresh: str, kept: str) -> bool:
    """``fresh`` takes the database's name, which is ``kept`` under another; False when it has.

    Both renamings are one transaction; whoever is connected is cut off.
    """
    name = name_of(database)
    with _server(database) as server:
        now = not _exists(server, kept)
        if now:
            for one in (name, fresh):
                allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false")
                server.execute(allow.format(sql.Identifier(one)))
                server.execute(OTHERS, (END_MS, one, ""))
            with server.transaction():
                _rename(server, name, kept)
                _rename(server, fresh, name)
        for one in (name, kept):
            allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true")
            server.execute(allow.format(sql.Identifier(one)))
    return now


def _rename(server: Session, one: str, other: str) -> None:
    rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
    server.execute(rename.format(sql.Identifier(one), sql.Identifier(other)))


def _exists(server: Session, name: str) -> bool:
    return bool(server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone())


def name_of(database: Database) -> str:
    """A database's name, from its address."""
    return urlsplit(database.url).path.lstrip("/")


@contextmanager
def _server(database: Database) -> Iterator[Session]:
    with Database(named(database.url, SERVER)).session(US) as connection:
        yield connection


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return file_digest(content, "sha256").hexdigest()
