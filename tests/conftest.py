"""Real engines for every test: one PostgreSQL for the session, a database for each test."""

import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import hypothesis
import psycopg
import pytest

from deployments.stack.postgres import Postgres
from tests.bugsink import bugsink
from tests.engines import builder, host_engine, registry

__all__ = ["bugsink", "builder", "host_engine", "registry"]

collect_ignore = ["bench", "blocks/sample_image", "blocks/django_app"]
"""Programs that tests and benchmarks start, no tests."""

hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")
"""A busy machine is no wrong answer."""

_numbers = count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL of this session's own, gone with it."""
    with tempfile.TemporaryDirectory(prefix="tradewind-pg-") as folder:
        Path(folder).chmod(0o711)  # as root the server runs as another user
        server = Postgres(Path(folder) / "data")
        server.start()
        yield server
        server.stop()


@pytest.fixture
def database_url(postgres: Postgres) -> Iterator[str]:
    """A fresh, empty database."""
    name = f"test_{next(_numbers)}"
    postgres.create(name)
    yield postgres.url(name)
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
