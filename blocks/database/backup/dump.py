"""Logical backups: ``pg_dump`` of one snapshot, and their restore into a scratch database."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from blocks.database import Database
from blocks.database.backup.contents import contents, snapshot
from blocks.database.backup.manifest import Backup
from blocks.database.backup.programs import LOCK_SECONDS, address, program, ran, workspace
from blocks.database.backup.sealed import unseal
from domain.errors import Failed
from domain.schema.settings import Backups

COMPRESSION = 1  # of gzip, whose default takes twice as long for a tenth less


def dump(
    connection: "psycopg.Connection[Any]", url: str, folder: Path, settings: Backups
) -> dict[str, list[int]]:
    """The snapshot of ``connection`` in the directory format, and its contents at the same time."""
    exported = connection.execute("SELECT pg_export_snapshot()").fetchone()
    assert exported is not None
    place, environment = address(url)
    command = [
        program("pg_dump", connection.info.server_version // 10_000), "--format=directory",
        f"--jobs={settings.jobs}", f"--compress={COMPRESSION}", f"--snapshot={exported[0]}",
        f"--lock-wait-timeout={LOCK_SECONDS * 1000:.0f}", f"--file={folder}", place,
    ]  # fmt: skip
    environment |= {"PGAPPNAME": connection.info.get_parameters().get("application_name", "")}
    with ThreadPoolExecutor(1) as beside:
        dumping = beside.submit(ran, command, environment)
        tables = contents(connection)
        dumping.result()
    return tables


@contextmanager
def loaded(database: Database, backup: Backup, settings: Backups, key: str) -> Iterator[Database]:
    """A scratch database with the dump in it, equal to what was dumped."""
    with database.scratch() as scratch:
        if backup.sealed:
            with workspace(backup.size) as plain:
                unseal(Path(backup.path), key, plain)
                _load(scratch, plain, settings)
        else:
            _load(scratch, Path(backup.path), settings)
        _compare(scratch, backup)
        yield scratch


def _load(scratch: Database, folder: Path, settings: Backups) -> None:
    with snapshot(scratch) as connection:
        major = connection.info.server_version // 10_000
    place, environment = address(scratch.url)
    ran(
        [
            program("pg_restore", major), "--exit-on-error", f"--jobs={settings.jobs}",
            f"--dbname={place}", str(folder),
        ],
        environment,
    )  # fmt: skip


def _compare(scratch: Database, backup: Backup) -> None:
    with snapshot(scratch) as connection:
        found = contents(connection)
    different = [name for name in {*found, *backup.tables}
                 if found.get(name) != backup.tables.get(name)]  # fmt: skip
    if different:
        raise Failed(f"backup {backup.name} differs in {', '.join(sorted(different))}")
