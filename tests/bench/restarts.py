"""A switch behind the proxy beside a plain restart: what customers lost, how long they waited."""

import json
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import psutil

from blocks.artifacts import Artifacts
from blocks.hosts.agent_host import AgentHost
from blocks.hosts.local import local_host
from domain.host import Unit
from examples.customers import Buyer, Diary, Wish
from tests.bench.results import Result, versus
from tests.blocks.test_host import placed, server

SWITCHES = 3
BUYERS, PACE_SECONDS = 8, 0.04


def restarts() -> Result:
    """Requests that strict customers lost in switches back and forth, and the longest wait."""
    with host() as (here, units):
        ours = watched(here, lambda: weighted(here, units))
        plain = watched(here, lambda: restarted(here, units))
    return versus(
        "A switch beside a restart",
        {
            "requests dropped": (ours["dropped"], plain["dropped"]),
            "longest gap between answers, ms": (ours["gap_ms"], plain["gap_ms"]),
        },
    )


@contextmanager
def host() -> Iterator[tuple[AgentHost, tuple[Unit, Unit]]]:
    """With two versions of one service, the first with all traffic."""
    with tempfile.TemporaryDirectory(prefix="tradewind-bench-") as folder:
        here = local_host("here", Path(folder) / "host", {})
        here.prepare()
        try:
            artifacts = Artifacts(Path(folder) / "artifacts")
            one, two = (
                placed(here, artifacts, ("web", version, "web"), server(version))
                for version in ("1", "2")
            )
            for unit in (one, two):
                here.health(unit.name, "/health", 10)
            here.route("web", {"1": 100}, 1)
            yield here, (one, two)
        finally:
            here.shutdown()


def weighted(here: AgentHost, units: tuple[Unit, Unit]) -> None:
    """A slice at a time, both versions running, drained before anything ends."""
    for _ in range(SWITCHES):
        for new, old in (("2", "1"), ("1", "2")):
            for weight in (10, 50):
                here.route("web", {new: weight, old: 100 - weight}, 1)
            here.route("web", {new: 100}, 1)
            here.drain("web", old, 10)


def restarted(here: AgentHost, units: tuple[Unit, Unit]) -> None:
    """By hand: the one that serves is stopped, and comes back with the new code."""
    (serving,) = (unit for unit in here.observe().units.values() if unit.weight)
    for _ in range(2 * SWITCHES):
        before = listening(serving.port)
        before.terminate()
        before.wait(10)
        here.health(f"{serving.service}@{serving.version}", "/health", 10)


def listening(port: int) -> psutil.Process:
    found = (
        one.pid for one in psutil.net_connections("tcp")
        if one.status == psutil.CONN_LISTEN and one.laddr.port == port
    )  # fmt: skip
    return psutil.Process(next(pid for pid in found if pid))


def watched(here: AgentHost, act: Callable[[], None]) -> dict[str, float]:
    """What customers met while ``act`` was under way."""
    over = threading.Event()
    with tempfile.NamedTemporaryFile("w+") as file:
        diary = Diary(file)
        address = f"http://127.0.0.1:{here.observe().listeners['web']}"
        buyers = [
            threading.Thread(
                target=Buyer(address, diary, PACE_SECONDS).shop,
                args=(lambda: Wish("page", "GET", "/", (200,)), over),
            )
            for _ in range(BUYERS)
        ]
        for buyer in buyers:
            buyer.start()
        act()
        over.set()
        for buyer in buyers:
            buyer.join()
        lines = [json.loads(line) for line in Path(file.name).read_text().splitlines()]
    answered = sorted(line["at"] for line in lines if line["outcome"] == "ok")
    gap = max(later - earlier for earlier, later in pairwise(answered))
    return {
        "dropped": sum(line["outcome"] != "ok" for line in lines),
        "gap_ms": round(1000 * gap, 1),
    }
