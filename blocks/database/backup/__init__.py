"""Backups of a shop's database that count only once they were restored and compared."""

import shutil
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg

from blocks.database import Database
from blocks.database.backup.contents import contents, snapshot, upheld
from blocks.database.backup.dump import dump, loaded
from blocks.database.backup.manifest import Backup, Kind, manifest, verify
from blocks.database.backup.physical import copy, started
from blocks.database.backup.programs import has_room
from blocks.database.backup.sealed import identity, seal
from domain.errors import Failed
from domain.schema.settings import Backups

__all__ = ["Backup", "contents", "proven", "pruned", "restored", "taken", "upheld"]

GIGA = 1_000_000_000
INCOMPLETE = ".incomplete"
INCOMPLETE_SECONDS = 24 * 3600.0


def taken(database: Database, folder: Path, settings: Backups, key: str) -> Backup:
    """A backup in ``folder``, which is absent or complete; sealed to ``key`` unless that is "".

    Raises BadInput for a malformed key, Refused when there is no room, Failed when it does not
    end well: nothing is left behind then. What a killed attempt left is ended and cleared first.
    """
    if key:
        identity(key)
    _end_leftovers(database, folder)
    fresh = folder.with_name(f"{folder.name}.{uuid4().hex[:8]}{INCOMPLETE}")
    try:
        kind, taken_at, tables = _written(database, fresh, folder, settings)
        if key:
            seal(fresh, key)
        files = manifest(fresh)
        _put(fresh, folder)
    except OSError as error:
        raise Failed(f"backup {folder.name}, nothing is left of it: {error}") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return Backup(str(folder), kind, bool(key), taken_at, files, tables)


def _written(
    database: Database, fresh: Path, folder: Path, settings: Backups
) -> tuple[Kind, str, dict[str, list[int]]]:
    with snapshot(database, _session(folder)) as connection:
        ours, whole, now = _sizes(connection)
        if 0 < settings.physical_above_gb * GIGA < ours:
            has_room(folder.parent, whole, f"backup {folder.name} (all databases of the server)")
            return "physical", now, copy(connection, database.url, fresh)
        has_room(folder.parent, ours, f"backup {folder.name} (the size of the database)")
        return "dump", now, dump(connection, database.url, fresh, settings)


def _sizes(connection: "psycopg.Connection[Any]") -> tuple[int, int, str]:
    """Bytes of this database and of all on its server, and what time it is there."""
    row = connection.execute(
        "SELECT pg_database_size(current_database()),"
        " (SELECT sum(pg_database_size(oid)) FROM pg_database), now()"
    ).fetchone()
    assert row is not None
    return int(row[0]), int(row[1]), row[2].astimezone(UTC).isoformat(timespec="seconds")


def _session(folder: Path) -> str:
    """How the server knows the sessions of an attempt: it may run on after its starter died."""
    return f"tradewind backup {sha256(str(folder.resolve()).encode()).hexdigest()[:16]}"


def _end_leftovers(database: Database, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with snapshot(database) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE application_name = %s AND usename = current_user",
            [_session(folder)],
        )
    _clear(folder)


def _clear(folder: Path) -> None:
    for left in folder.parent.glob(f"{folder.name}.*{INCOMPLETE}"):
        shutil.rmtree(left, ignore_errors=True)


def _put(fresh: Path, folder: Path) -> None:
    """Instead of one that was complete already, but whose taker died before it was noted."""
    if folder.exists():
        folder.rename(folder.with_name(f"{folder.name}.{uuid4().hex[:8]}{INCOMPLETE}"))
    fresh.rename(folder)
    _clear(folder)


def proven(
    database: Database, backup: Backup, settings: Backups, key: str, invariants: Mapping[str, str]
) -> None:
    """``restored``, and every invariant holds in it; Failed names the invariant and a row."""
    with restored(database, backup, settings, key) as found:
        upheld(found, invariants)


@contextmanager
def restored(database: Database, backup: Backup, settings: Backups, key: str) -> Iterator[Database]:
    """The backup as a database that may be changed, gone afterwards.

    Every file is what was written. A dump is restored into a scratch database on the same server,
    and every table has the rows and the checksum of the snapshot that was dumped. A physical
    backup is of a later moment than its ``tables``, as the shop goes on writing, so that it is
    proven otherwise: PostgreSQL verifies it, starts on a copy of it, and reads all of each table.

    Raises Failed naming what is damaged or differs, BadInput for a key that does not open it.
    """
    verify(backup)
    if backup.kind == "physical":
        with started(database, backup, key) as found:
            yield found
    else:
        with loaded(database, backup, settings, key) as found:
            yield found


def pruned(folder: Path, keep: int, spared: Collection[str]) -> tuple[str, ...]:
    """Removes backups beyond the newest ``keep`` of a folder that has nothing else, but ``spared``.

    Also incomplete ones of more than a day. Answers the names of what went, oldest first.
    """
    oldest_first = sorted((path for path in folder.glob("*/")), key=_age)
    whole = [path for path in oldest_first if not path.name.endswith(INCOMPLETE)]
    dead = time.time() - INCOMPLETE_SECONDS
    gone = [path for path in whole[: max(0, len(whole) - keep)] if path.name not in spared]
    gone += [path for path in oldest_first if path not in whole and path.stat().st_mtime < dead]
    for path in gone:
        shutil.rmtree(path)
    return tuple(path.name for path in gone)


def _age(path: Path) -> tuple[int, str]:
    return path.stat().st_mtime_ns, path.name
