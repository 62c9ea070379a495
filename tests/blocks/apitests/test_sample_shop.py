"""The sample's document and collection are true of the storefront that has them."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from blocks.apitests.newman import Newman
from blocks.apitests.running import Target
from blocks.apitests.schemathesis import Schemathesis
from deployments.stack.processes import until
from domain.apitests.settings import Collection, OpenApi

SHOP = Path(__file__).parents[3] / "examples" / "shop"
COLLECTION = "storefront/tests/checkout.postman_collection.json"
MIGRATED = (
    "from alembic import command, config; c = config.Config();"
    "c.set_main_option('script_location', 'migrations'); command.upgrade(c, 'head')"
)


@pytest.fixture
def storefront(database_url: str) -> Iterator[Target]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "DATABASE_URL": database_url, "PORT": str(port)}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    subprocess.run([sys.executable, "-c", MIGRATED], cwd=SHOP, env=environment, check=True)
    command = [sys.executable, "-m", "storefront"]
    with subprocess.Popen(command, cwd=SHOP, env=environment) as server:
        try:
            assert until(lambda: answers(port), 20)
            yield Target(f"http://127.0.0.1:{port}", SHOP)
        finally:
            server.terminate()


def answers(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.long
def test_the_storefront_keeps_to_its_document_and_its_collection(
    storefront: Target, newman: Newman, schemathesis: Schemathesis
) -> None:
    by_collection = newman.tried(Collection(COLLECTION), storefront, {})
    by_document = schemathesis.tried(OpenApi("/openapi.json", max_examples=3), storefront, {})

    assert by_collection.passed, by_collection
    assert by_document.passed, by_document
    assert by_document.requests > 10
