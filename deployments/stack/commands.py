"""How Prefect's servers and workers are started, whoever starts them: commands and settings."""

import sys
from collections.abc import Mapping
from pathlib import Path

from blocks.prefect_server import POOL
from deployments.settings import prefect_environment

PYTHON = (sys.executable, "-m", "prefect")


def server(port: int, address: str = "127.0.0.1") -> list[str]:
    """API, UI and background services in one process, as one machine has them."""
    return [*PYTHON, "server", "start", "--host", address, "--port", str(port)]


def api_only(port: int, address: str = "127.0.0.1") -> list[str]:
    """One of several servers, all alike; ``services`` runs beside them."""
    return [*server(port, address), "--no-services"]


def services() -> list[str]:
    return [*PYTHON, "server", "services", "start"]


def worker(name: str) -> list[str]:
    """It has the flows installed already and takes one run after another from the pool."""
    options = ("--type", "process", "--pool", POOL, "--name", name, "--install-policy", "never")
    return [*PYTHON, "worker", "start", *options]


def server_environment(state: Path, database: str, key: str) -> dict[str, str]:
    """For every server and the services: ``database`` is libpq's address, ``key`` seals secrets."""
    return {
        **prefect_environment(state),
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": database.replace(
            "postgresql:", "postgresql+asyncpg:", 1
        ),
        "PREFECT_SERVER_ENCRYPTION_KEY": key,
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": (
            "prefect.server.concurrency.lease_storage.filesystem"
        ),
        "PREFECT_UI_STATIC_DIRECTORY": str(state / "prefect" / "ui"),
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    }


def shared_by_redis(address: str) -> Mapping[str, str]:
    """Events, their order, leases and background work, where there are several servers.

    ``address`` is as redis://host:6379. Source: Prefect's guide to scaling a self-hosted server.
    """
    return {
        "PREFECT_MESSAGING_BROKER": "prefect_redis.messaging",
        "PREFECT_MESSAGING_CACHE": "prefect_redis.messaging",
        "PREFECT_REDIS_MESSAGING_URL": f"{address}/0",
        "PREFECT_SERVER_EVENTS_CAUSAL_ORDERING": "prefect_redis.ordering",
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect_redis.lease_storage",
        "PREFECT_SERVER_DOCKET_URL": f"{address}/1",
    }


def worker_environment(state: Path, temporary: Path) -> dict[str, str]:
    """Its ``temporary`` files are ours: Prefect's usual folder belongs to whoever was first."""
    temporary.mkdir(mode=0o700, parents=True, exist_ok=True)
    return {
        **prefect_environment(state),
        "PREFECT_WORKER_QUERY_SECONDS": "1",
        "PREFECT_LOGGING_LEVEL": "INFO",
        "TMPDIR": str(temporary),
    }
