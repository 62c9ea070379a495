"""What only Envoy has: one process for every service, and files that it watches."""

from collections.abc import Iterator

import pytest

from blocks.hosts.agent import envoy
from blocks.hosts.agent.files import write
from deployments.stack.processes import until
from tests.shopfront import Shopfront, shopfront


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shopfront]:
    with shopfront(tmp_path_factory.mktemp("host") / "home", envoy) as made:
        yield made


def test_a_publication_that_changes_nothing_writes_nothing(front: Shopfront) -> None:
    with front.serving("same@1") as service:
        front.route(service, {"1": 100})
        before = _identities(front)

        envoy.publish(front.home)

        assert _identities(front) == before


def _identities(front: Shopfront) -> dict[str, int]:
    return {path.name: path.stat().st_ino for path in (front.home / "proxy").glob("*.json")}


@pytest.mark.parametrize("name", ["cds.json", "lds.json", "rds-watched.json"])
def test_a_file_that_envoy_has_not_taken_is_not_applied(front: Shopfront, name: str) -> None:
    with front.serving("watched@1") as service:
        front.route(service, {"1": 100})
        write(front.home / "proxy" / name, {"version_info": "newer", "resources": [{"no": "type"}]})

        assert not front.applied(service)
        assert front.get(service).body == "1"
        envoy.publish(front.home)
        assert until(lambda: front.applied(service), 10)


def test_nothing_is_applied_for_a_service_that_is_not_there(front: Shopfront) -> None:
    assert not front.applied("nobody")
