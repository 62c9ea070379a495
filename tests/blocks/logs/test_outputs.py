"""A real host's output: read on across files that are turned over, in bounded bytes."""

import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blocks.artifacts import Artifacts
from blocks.hosts import Host
from blocks.hosts.agent.outputs import (
    KEPT_BYTES,
    KEPT_ENDED,
    KEPT_FILES,
    forget,
    keep,
    kept,
    output,
)
from blocks.hosts.local import local_host
from blocks.logs import labelled
from deployments.stack.processes import until
from domain.errors import Failed
from domain.host import Unit
from domain.shop import Stop
from tests.blocks.test_host import built, placed, server

CHATTY = """
import sys
line = "{letter}" * 99 + chr(10)
sys.stdout.write("begins" + chr(10))
for _ in range({mb} * 1048576 // 102400):
    sys.stdout.write(line * 1024)
sys.stdout.write("ends" + chr(10))
sys.stdout.flush()
"""


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    made = local_host("here", tmp_path / "host", {})
    made.prepare()
    yield made
    made.shutdown()


def read(host: Host, name: str, cursor: object = None, most_bytes: int = 100_000) -> list[str]:
    """Everything from a cursor on, call by call."""
    found, more = [], True
    while more:
        told = host.output(name, cursor, most_bytes)
        assert sum(len(text) + 1 for _, text in told.lines) <= most_bytes + 1
        found += [text for _, text in told.lines]
        cursor, more = told.cursor, told.more
    return found


def test_a_hosts_output_and_its_agents_are_read(host: Host, tmp_path: Path) -> None:
    code = 'print("ready", flush=True)\n' + server("2026.11.28.1")
    with labelled(release="2026.11.28.1", deployment="7", environment="staging"):
        placed(host, Artifacts(tmp_path / "artifacts"), ("web", "2026.11.28.1", "web"), code)

    names = host.outputs("2026.11.28.1")

    assert names == ("agent", "web@2026.11.28.1")
    assert host.outputs("another") == ("agent",)
    assert until(lambda: read(host, "web@2026.11.28.1") == ["ready"], 20)
    notes = [json.loads(line) for line in read(host, "agent")]
    (started,) = (one for one in notes if one["event.action"] == "start")
    assert started["message"] == "start web"
    assert (started["labels.release"], started["labels.deployment"]) == ("2026.11.28.1", "7")
    assert started["event.outcome"] == "success"


def test_what_the_agent_refuses_is_in_its_log(host: Host) -> None:
    with pytest.raises(Failed, match="ABSENT"):
        host.health("none@1", "/", 1)

    (note,) = [json.loads(one) for one in read(host, "agent") if '"health"' in one]

    assert (note["log.level"], note["event.outcome"]) == ("warning", "failure")
    assert "ABSENT" in note["message"]


def test_a_job_that_writes_a_lot_is_kept_within_its_bound(host: Host, tmp_path: Path) -> None:
    source = tmp_path / "job"
    source.mkdir()
    (source / "job.py").write_text(CHATTY.format(letter="j", mb=60))
    artifacts = Artifacts(tmp_path / "artifacts")
    made = built(artifacts, "report", source)
    host.place(artifacts.parcel(made.digest), 1)
    host.start(
        Unit("report", "1", made.digest, "job", ("python", "job.py"), {}, Stop()), "working", 1
    )
    host.role("report@1", "working", 1)

    host.run("report", "2026-11-28T02:00:00+00:00", 60)

    def ended() -> bool:
        return host.run_state("report", "2026-11-28T02:00:00+00:00")["state"] == "ended"

    assert until(ended, 60)
    size = sum(one.stat().st_size for one in (tmp_path / "host" / "logs").glob("report@1.log*"))
    assert size <= (KEPT_FILES + 1) * KEPT_BYTES
    assert read(host, "report@1", most_bytes=1 << 20)[-1] == "ends"


def test_a_gigabyte_of_a_child_is_survived_in_bounded_memory_and_disk(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    command = [sys.executable, "-c", CHATTY.format(letter="g", mb=1024)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    code = kept(child, tmp_path / "logs" / "big.log", 120)

    grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    sizes = [one.stat().st_size for one in (tmp_path / "logs").iterdir()]
    assert code == 0
    assert sum(sizes) <= (KEPT_FILES + 1) * KEPT_BYTES
    assert grown_kb < 50_000
    assert (tmp_path / "logs" / "big.log").read_bytes().endswith(b"ends\n")


def asked(home: Path, cursor: object, most_bytes: int) -> dict[str, object]:
    return output(home, {"name": "u@1", "cursor": cursor, "most_bytes": most_bytes})


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.lists(st.text("ab\u00e4 ", max_size=30), max_size=8), max_size=8),
    st.integers(70, 200),
)
def test_every_line_is_read_once_while_files_turn_over(
    tmp_path_factory: pytest.TempPathFactory, writes: list[list[str]], most: int
) -> None:
    home = tmp_path_factory.mktemp("home")
    (home / "logs").mkdir()
    cursor, found, lost = None, [], []

    for lines in writes:
        content = "".join(f"{line}\n" for line in lines).encode()
        keep(content, home / "logs" / "u@1.log", 200)
        more = True
        while more:
            told = asked(home, cursor, most)
            found += [text for _, text in told["lines"]]  # type: ignore[union-attr,attr-defined]
            cursor, more = told["cursor"], told["more"]
            lost.append(told["lost"])

    assert found == [line for lines in writes for line in lines]
    assert not any(lost)


def test_what_was_gone_before_it_was_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    place = tmp_path / "logs" / "u@1.log"
    keep(b"one\n", place, 10)
    cursor = asked(tmp_path, None, 100)["cursor"]

    for number in range(20):
        keep(f"line {number}\n".encode(), place, 10)
    told = asked(tmp_path, cursor, 100)

    assert told["lost"]
    assert [text for _, text in told["lines"]] == ["line 17", "line 18", "line 19"]  # type: ignore[attr-defined]


def test_a_line_that_is_still_being_written_is_waited_for(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    place = tmp_path / "logs" / "u@1.log"
    keep(b"whole\nha", place)

    first = asked(tmp_path, None, 100)
    keep(b"lf\n", place)
    second = asked(tmp_path, first["cursor"], 100)

    assert (first["lines"], second["lines"]) == ([["", "whole"]], [["", "half"]])


def test_a_line_longer_than_an_answer_comes_in_pieces(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    keep(b"x" * 250, tmp_path / "logs" / "u@1.log")

    first = asked(tmp_path, None, 100)

    assert (first["lines"], first["more"]) == ([["", "x" * 100]], True)
    assert asked(tmp_path, first["cursor"], 100)["lines"] == [["", "x" * 100]]


def test_no_name_leads_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "secret.log").write_text("secret\n")
    (tmp_path / "logs").mkdir()

    told = output(tmp_path, {"name": "../secret", "cursor": None, "most_bytes": 100})

    assert told["lines"] == []


def test_output_of_units_that_ended_long_ago_goes(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    for number in range(KEPT_ENDED + 5):
        keep(b"x\n", tmp_path / "logs" / f"web@{number}.log")

    forget(tmp_path)

    left = {one.name.partition(".log")[0] for one in (tmp_path / "logs").iterdir()}
    assert len(left) == KEPT_ENDED
