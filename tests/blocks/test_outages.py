"""An outage on purpose, on a local host with a real supervisord and a real Envoy."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from blocks.artifacts import Artifacts
from blocks.hosts.agent_host import AgentHost
from blocks.hosts.local import local_host
from deployments.stack.processes import until
from domain.errors import Fenced, Refused
from tests.blocks.test_host import placed, server


@pytest.fixture
def host(tmp_path: Path) -> Iterator[AgentHost]:
    made = local_host("here", tmp_path / "host", {})
    made.prepare()
    placed(made, Artifacts(tmp_path / "artifacts"), ("web", "1", "web"), server("1"))
    made.health("web@1", "/health", 20)
    made.route("web", {"1": 100}, 1)
    yield made
    made.shutdown()


def test_a_killed_process_is_missed_by_customers_until_its_supervisor_starts_it(
    host: AgentHost,
) -> None:
    assert host.smoke("web", "1", ("/",)) == {"/": 200}

    host.kill("web@1", 1)

    assert host.smoke("web", "1", ("/",)) != {"/": 200}
    assert until(lambda: host.smoke("web", "1", ("/",)) == {"/": 200}, 20)
    assert host.observe().units["web@1"].weight == 100


def test_only_the_newest_epoch_kills_and_only_what_is_there(host: AgentHost) -> None:
    with pytest.raises(Refused, match="no unit that runs"):
        host.kill("web@2", 5)
    with pytest.raises(Fenced):
        host.kill("web@1", 4)
    assert host.smoke("web", "1", ("/",)) == {"/": 200}
