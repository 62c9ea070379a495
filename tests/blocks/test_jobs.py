"""Jobs on a real host: each time runs once, by the version that has the schedule."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from blocks.artifacts import Artifacts
from blocks.hosts import Host
from blocks.hosts.local import local_host
from deployments.stack.processes import until
from domain.errors import Failed
from domain.host import Unit
from domain.shop import Stop
from tests.blocks.test_host import built

JOB = """
import os, time
time.sleep({seconds})
with open({book!r}, "a") as book:
    book.write(os.environ["TRADEWIND_SCHEDULED_AT"] + " {version}\\n")
raise SystemExit({code})
"""


class Jobs:
    """A host with versions of one job that write down when they ran."""

    def __init__(self, host: Host, artifacts: Artifacts, folder: Path) -> None:
        self.host, self._artifacts, self._folder = host, artifacts, folder
        self.book = folder / "book"
        self.book.touch()

    def place(self, version: str, seconds: float = 0, code: int = 0) -> str:
        source = self._folder / version
        source.mkdir(parents=True)
        text = JOB.format(seconds=seconds, book=str(self.book), version=version, code=code)
        (source / "job.py").write_text(text)
        made = built(self._artifacts, "report", source)
        self.host.place(self._artifacts.parcel(made.digest), 1)
        unit = Unit("report", version, made.digest, "job", ("python", "job.py"), {}, Stop())
        self.host.start(unit, "standby", 1)
        return unit.name

    def ran(self, at: str) -> bool:
        self.host.run("report", at, 30)
        return until(lambda: self.host.run_state("report", at)["state"] == "ended", 20)


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    host = local_host("here", tmp_path / "host", {})
    host.prepare()
    yield Jobs(host, Artifacts(tmp_path / "artifacts"), tmp_path / "jobs")
    host.shutdown()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> None:
    (tmp_path / "jobs").mkdir()


def test_a_time_runs_once_however_often_it_is_asked_for(jobs: Jobs) -> None:
    jobs.host.role(jobs.place("1"), "working", 1)

    assert jobs.ran("2026-11-24T02:00:00+00:00")
    assert jobs.ran("2026-11-24T02:00:00+00:00")

    assert jobs.book.read_text().splitlines() == ["2026-11-24T02:00:00+00:00 1"]


def test_while_the_schedule_moves_no_time_is_lost_and_none_runs_twice(jobs: Jobs) -> None:
    names = [jobs.place(version) for version in ("1", "2")]
    jobs.host.role(names[0], "working", 1)
    times = [f"2026-11-24T02:00:{second:02}+00:00" for second in range(12)]
    over = threading.Event()

    def move() -> None:
        while not over.is_set():
            for new, old in ((1, 0), (0, 1)):
                jobs.host.role(names[new], "working", 1)
                jobs.host.role(names[old], "standby", 1)

    mover = threading.Thread(target=move)
    mover.start()
    ended = [jobs.ran(at) for at in times]
    over.set()
    mover.join()

    lines = [line.split() for line in jobs.book.read_text().splitlines()]
    assert all(ended)
    assert [at for at, _ in lines] == times
    assert {version for _, version in lines} == {"1", "2"}


def test_a_run_under_way_keeps_its_version_until_it_ends(jobs: Jobs) -> None:
    old, new = jobs.place("1", seconds=2), jobs.place("2")
    jobs.host.role(old, "working", 1)
    jobs.host.run("report", "2026-11-24T02:00:00+00:00", 30)

    jobs.host.role(new, "working", 1)
    assert not jobs.host.retire(old, 1)
    assert jobs.ran("2026-11-24T02:00:00+00:00")

    assert jobs.host.retire(old, 1)
    assert jobs.book.read_text().endswith(" 1\n")


def test_a_job_that_fails_says_how(jobs: Jobs) -> None:
    jobs.host.role(jobs.place("1", code=3), "working", 1)

    jobs.ran("2026-11-24T02:00:00+00:00")

    assert jobs.host.run_state("report", "2026-11-24T02:00:00+00:00")["exit_code"] == 3


def test_without_a_schedule_nothing_runs(jobs: Jobs) -> None:
    jobs.place("1")

    with pytest.raises(Failed, match="no version of report has the schedule"):
        jobs.host.run("report", "2026-11-24T02:00:00+00:00", 30)
