"""A real Prefect server, real people in a real database, and the gateway in front of them."""

import sys
from collections.abc import Iterator

import httpx
import pytest
from cryptography.fernet import Fernet

from blocks.ledger import Ledger
from blocks.people import People, Tokens
from deployments.stack.postgres import Postgres
from deployments.stack.processes import end_tree, started, wait_for
from domain.access.people import Person
from tests.deployments.gateway.street import ALL, PASSWORD, Crowd, free_port

START_SECONDS, STOP_SECONDS = 120.0, 30.0


@pytest.fixture(scope="session")
def crowd(postgres: Postgres) -> Crowd:
    """Everybody of ``street.ALL``, with the same password."""
    postgres.create("gateway_ledger")
    url = postgres.url("gateway_ledger")
    Ledger(url).migrate()
    people, tokens = People(url, Fernet.generate_key()), Tokens(url)
    for name, grants in ALL.items():
        people.add(Person(name, name.capitalize(), grants), PASSWORD, "tests")
    return Crowd(people, tokens)


@pytest.fixture(scope="session")
def prefect_url(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Prefect as ``tradewind up`` starts it, on loopback."""
    folder, port = tmp_path_factory.mktemp("prefect"), free_port()
    postgres.create("gateway_prefect")
    database = postgres.url("gateway_prefect").replace("postgresql:", "postgresql+asyncpg:")
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1"]
    process = started(
        [*command, "--port", str(port)],
        folder / "log",
        {
            "PREFECT_HOME": str(folder),
            "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "DO_NOT_TRACK": "1",
            "PREFECT_SERVER_DATABASE_CONNECTION_URL": database,
            "PREFECT_SERVER_ENCRYPTION_KEY": Fernet.generate_key().decode(),
            "PREFECT_UI_STATIC_DIRECTORY": str(folder / "ui"),
            "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        },
    )
    url = f"http://127.0.0.1:{port}"
    wait_for("Prefect", lambda: _answers(url), START_SECONDS, folder / "log")
    yield url
    end_tree(process, STOP_SECONDS)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/api/health", timeout=2).is_success
    except httpx.HTTPError:
        return False
