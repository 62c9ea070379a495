"""A candidate without weight is reached over a real host's proxy, wherever the tests run."""

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from blocks.apitests.relay import METHODS, MOST_BODY_BYTES, READING, relayed
from blocks.artifacts import Artifacts
from blocks.hosts.agent_host import AgentHost
from blocks.hosts.local import local_host
from tests.blocks.test_host import placed, server


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentHost]:
    """Version 1 has all the traffic, version 2 has none and is sick."""
    made = local_host("here", tmp_path_factory.mktemp("host"), {})
    artifacts = Artifacts(tmp_path_factory.mktemp("artifacts"))
    made.prepare()
    for version, fails in (("1", False), ("2", True)):
        placed(made, artifacts, ("web", version, "web"), server(version, fails))
        made.health(f"web@{version}", "/health", 20)
    made.route("web", {"1": 100}, 1)
    yield made
    made.shutdown()


def asked(address: str, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=20)
    connection.request(method, path, body, {"x-tradewind-version": "1"})
    answer = connection.getresponse()
    return answer.status, answer.read()


def test_requests_go_to_the_candidate_whatever_they_ask_for(host: AgentHost) -> None:
    with relayed(host, "web", "2", METHODS) as relay:
        look, buy = (asked(relay.address, "GET", page) for page in ("/look?a=%20", "/buy"))
        posted = asked(relay.address, "POST", "/look", b"x" * 100_000)
        head = asked(relay.address, "HEAD", "/look")

    assert (look[0], json.loads(look[1])["version"]) == (200, "2")
    assert (buy[0], json.loads(buy[1])["version"]) == (500, "2")
    assert (posted[0], json.loads(posted[1])["version"]) == (200, "2")
    assert head == (501, b"")  # the small server has no HEAD
    assert (relay.requests, relay.away) == (4, "")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "TRACE"])
def test_where_customers_are_nothing_but_reading_goes_through(host: AgentHost, method: str) -> None:
    with relayed(host, "web", "2", READING) as relay:
        status, _ = asked(relay.address, method, "/look")

    assert status == 405
    assert relay.requests == 0


def test_a_request_that_is_too_long_is_not_taken(host: AgentHost) -> None:
    with relayed(host, "web", "2", METHODS) as relay:
        connection = http.client.HTTPConnection(urlsplit(relay.address).netloc, timeout=20)
        connection.putrequest("POST", "/look")
        connection.putheader("Content-Length", str(MOST_BODY_BYTES + 1))
        connection.endheaders()
        answer = connection.getresponse()

    assert answer.status == 413
    assert answer.read() == b"the request has 8388609 bytes, at most 8388608 may be"


def test_a_host_that_is_away_is_told_apart_from_a_bad_candidate(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    away = local_host("away", tmp_path / "never-prepared", {})

    with relayed(away, "web", "2", METHODS) as relay:
        status, body = asked(relay.address, "GET", "/look")

    assert status == 502
    assert relay.away == "" or "away" in relay.away
    assert body
