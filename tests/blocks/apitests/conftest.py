"""Both runners, installed once per lock for every run of the tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from blocks.apitests.newman import Newman
from blocks.apitests.schemathesis import Schemathesis
from blocks.environments import Environments
from tests.blocks.apitests.small_server import Served, served

TOOLS = Path(__file__).parents[3] / ".tradewind" / "test-tools"


@pytest.fixture(scope="session")
def newman() -> Newman:
    found = Newman(TOOLS)
    assert not found.missing(), "Node comes with the locked packages"
    found.install()
    return found


@pytest.fixture(scope="session")
def schemathesis() -> Schemathesis:
    found = Schemathesis(Environments(TOOLS))
    found.install()
    return found


@pytest.fixture
def server() -> Iterator[Served]:
    with served() as started:
        yield started
