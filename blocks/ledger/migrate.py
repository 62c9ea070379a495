"""The ledger's own schema, by Alembic."""

import time
from pathlib import Path

import psycopg

from domain.errors import Unavailable

LOCK_KEY = 7_241_001
WAIT_SECONDS = 60.0
POLL_SECONDS = 0.1


def upgrade(url: str) -> None:
    """To the newest revision; a second migrator waits for the first, at most ``WAIT_SECONDS``."""
    from alembic import command  # a quarter of a second to import, which every run would pay
    from alembic.config import Config

    with psycopg.connect(url, autocommit=True) as lock:
        _alone(lock)
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        config.attributes["url"] = sqlalchemy_url(url)
        command.upgrade(config, "head")


def sqlalchemy_url(url: str) -> str:
    """A libpq address in SQLAlchemy's words, with psycopg 3 as its driver."""
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


def _alone(connection: "psycopg.Connection[tuple[object, ...]]") -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        row = connection.execute("SELECT pg_try_advisory_lock(%s)", [LOCK_KEY]).fetchone()
        if row and row[0]:
            return
        time.sleep(POLL_SECONDS)
    raise Unavailable(f"another migration of the ledger did not end within {WAIT_SECONDS:.0f} s")
