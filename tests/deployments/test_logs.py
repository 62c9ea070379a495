"""Lines of hosts: fetched from a real one, each with its deployment, sent on once."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from blocks import logs as shipped
from blocks.artifacts import Artifacts
from blocks.ledger.releases import Cut
from blocks.logs import labelled
from blocks.logs.units import UnitOutput
from blocks.shop import Live
from deployments import logs as command
from deployments.settings import state_of, write_secret
from deployments.stack.processes import until
from domain.errors import BadInput
from domain.logs.record import LONG_AGO, Document
from tasks.logs import Deployments, collect_output, learn_secrets
from tests.blocks.test_host import placed, server

SHOP = """
shop: teapots
repository: .
route: [staging]
services:
  web: {kind: web, paths: [web], command: [run], requirements: r.txt,
        environment: {CARD_KEY: "${file:card}", GONE: "${env:NOT_SET_ANYWHERE}"},
        test: {command: [test], requirements: r.txt}}
environments:
  staging: {hosts: [{name: here}]}
logs:
  sinks: {all: {kind: file}}
  flush_seconds: 0.1
"""
PLANTED = "planted-value-of-the-card"
WRITER = f"""
print("plain words", flush=True)
print('{{"@timestamp":"2026-11-28T11:00:00Z","log.level":"error","message":"no {PLANTED}"}}')
import sys; sys.stdout.flush()
"""


@pytest.fixture
def live(tmp_path: Path, database_url: str) -> Iterator[Live]:
    """A shop with a host and a ledger of its own."""
    file = tmp_path / "shop.yaml"
    file.write_text(SHOP)
    write_secret(state_of(file) / "databases" / "ledger", database_url)
    write_secret(state_of(file) / "databases" / "shop_staging", database_url)
    write_secret(state_of(file) / "card", PLANTED)
    made = Live(file, state_of(file))
    made.ledger.migrate()
    (host,) = made.hosts("staging")
    host.prepare()
    yield made
    host.shutdown()
    shipped.end()


def cut_and_opened(live: Live) -> tuple[str, str]:
    """A release's version, and its deployment's number."""
    now = datetime.now(UTC)
    cut = Cut(str(uuid4()), "main", "c" * 40, now, "Ann", "", ("web",), ("staging",))
    version = live.ledger.releases.open(cut, now.date()).version
    row = live.ledger.deployments.open(version, "staging", "release", cut.flow_run, "Ann")
    return version, str(row.id)


def sent(live: Live) -> list[Document]:
    """What the file has by now."""
    file = live.state / "logs" / "tradewind.ndjson"
    return [json.loads(one) for one in file.read_text().splitlines()] if file.exists() else []


def test_a_hosts_lines_are_sent_on_once_and_without_secrets(live: Live, tmp_path: Path) -> None:
    version, deployment = cut_and_opened(live)
    (host,) = live.hosts("staging")
    artifacts = Artifacts(tmp_path / "artifacts")
    with labelled(release=version, deployment=deployment):
        placed(host, artifacts, ("web", version, "web"), WRITER + server(version))
    host.health(f"web@{version}", "/", 20)

    for _ in range(2):
        collect_output.fn(live)
    shipped.end()

    own = [one for one in sent(live) if one["service.name"] == "web"]
    assert [one["message"] for one in own] == ["plain words", "no ***"]
    assert {one["@timestamp"] for one in own} == {"2026-11-28T11:00:00.000000Z"}
    assert {one["service.version"] for one in own} == {version}
    assert {one["labels.deployment"] for one in own} == {deployment}
    assert {one["host.name"] for one in own} == {"here"}
    notes = [one for one in sent(live) if one["service.name"] == "tradewind-agent"]
    assert [one["labels.release"] for one in notes if one["message"] == "start web"] == [version]
    assert PLANTED not in (live.state / "logs" / "tradewind.ndjson").read_text()


def test_a_reading_goes_on_where_it_ended(live: Live, tmp_path: Path) -> None:
    version, _ = cut_and_opened(live)
    (host,) = live.hosts("staging")
    placed(host, Artifacts(tmp_path / "artifacts"), ("web", version, "web"), server(version))
    output = UnitOutput(host, "staging", f"web@{version}", lambda *_: "")
    log = live.state / "hosts" / "here" / "logs" / f"web@{version}.log"

    log.write_text("one\n")
    first = [one["message"] for one in output]
    log.write_text("one\ntwo\n")
    second = [one["message"] for one in output]

    assert (first, second) == (["one"], ["two"])


def test_a_line_belongs_to_the_deployment_of_its_time(live: Live) -> None:
    version, deployment = cut_and_opened(live)
    deployments, now = Deployments(live, "staging"), datetime.now(UTC)

    assert deployments.at(version, now + timedelta(hours=1)) == deployment
    assert deployments.at(version, LONG_AGO) == deployment, "its clock is behind"
    assert deployments.at("2000.01.01.1", now) == ""


def test_references_that_are_not_known_here_are_named(live: Live) -> None:
    assert learn_secrets(live) == ("${env:NOT_SET_ANYWHERE}",)


def test_what_was_written_on_a_host_that_was_shut_down_is_still_read(live: Live) -> None:
    (host,) = live.hosts("staging")
    host.shutdown()
    host.close()

    collect_output.fn(live)

    assert until(lambda: any(one["message"] == "shutdown" for one in sent(live)), 10)


@pytest.mark.parametrize("text", ["yesterday", "2026-11-28T11:00", "15", "m", "²m"])
def test_a_since_that_says_no_time_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="since is"):
        command._moment(text)


def test_so_long_ago_or_a_time_with_its_zone() -> None:
    ago = datetime.now(UTC) - command._moment("15m")

    assert abs(ago - timedelta(minutes=15)) < timedelta(minutes=1)
    assert command._moment("2026-11-28T12:00+01:00") == datetime(2026, 11, 28, 11, tzinfo=UTC)
    assert command._moment("") == LONG_AGO
