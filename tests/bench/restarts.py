"""``make bench``: each measure beside the plain way of doing it, in one run, as ratios."""

import json
import random
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from blocks.artifacts import Artifacts
from blocks.hosts.local import LocalHost
from domain.canary import Policy, judge
from domain.host import Served, Unit
from examples.customers import Buyer, Diary, Wish
from tests.blocks.test_host import placed, server

SWITCHES = 3
BUYERS, PACE_SECONDS = 8, 0.04
CANARIES, LOOKS, REQUESTS_A_LOOK = 400, 60, 20


def main() -> None:
    table = Table("What", "Tradewind", "the plain way", "ratio")
    for row in (*switches(), *verdicts()):
        table.add_row(*row)
    Console(width=120).print(table)


def switches() -> Iterator[tuple[str, ...]]:
    """Requests that strict customers lost in switches back and forth, and the longest wait."""
    with host() as (here, units):
        ours = watched(here, lambda: weighted(here, units))
        plain = watched(here, lambda: restarted(here, units))
    yield "switch: requests dropped", *shown(ours["dropped"], plain["dropped"])
    yield "switch: longest gap between answers, ms", *shown(ours["gap_ms"], plain["gap_ms"])


@contextmanager
def host() -> Iterator[tuple[LocalHost, tuple[Unit, Unit]]]:
    """With two versions of one service, the first with all traffic."""
    with tempfile.TemporaryDirectory(prefix="tradewind-bench-") as folder:
        here = LocalHost("here", Path(folder) / "host")
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


def weighted(here: LocalHost, units: tuple[Unit, Unit]) -> None:
    """A slice at a time, both versions running, drained before anything ends."""
    for _ in range(SWITCHES):
        for new, old in (("2", "1"), ("1", "2")):
            for weight in (10, 50):
                here.route("web", {new: weight, old: 100 - weight}, 1)
            here.route("web", {new: 100}, 1)
            here.drain("web", old, 10)


def restarted(here: LocalHost, units: tuple[Unit, Unit]) -> None:
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


def watched(here: LocalHost, act: Callable[[], None]) -> dict[str, float]:
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


def verdicts() -> Iterator[tuple[str, ...]]:
    """Equal versions that were taken back, of all, when looked at again and again."""
    chance = random.Random(20261124)
    false = {"ours": 0, "plain": 0}
    for _ in range(CANARIES):
        for name, alarmed in canary(chance).items():
            false[name] += alarmed
    rate = {name: round(100 * count / CANARIES, 2) for name, count in false.items()}
    yield "verdict: false alarms, % of equal canaries", *shown(rate["ours"], rate["plain"])


def canary(chance: random.Random) -> dict[str, bool]:
    """One hour at 10 % and 1 % errors in both arms; the plain way is "twice the baseline"."""
    policy = Policy(0.01, 0.05, 5, 50)
    errors, requests, alarmed = [0, 0], [0, 0], {"ours": False, "plain": False}
    for _ in range(LOOKS):
        for arm, count in ((0, REQUESTS_A_LOOK), (1, 9 * REQUESTS_A_LOOK)):
            requests[arm] += count
            errors[arm] += sum(chance.random() < 0.01 for _ in range(count))
        ours, theirs = (Served(requests[arm], errors[arm], errors[arm]) for arm in (0, 1))
        alarmed["ours"] |= judge(ours, theirs, policy).decision == "restore"
        alarmed["plain"] |= errors[0] / requests[0] > 2 * max(errors[1], 1) / requests[1]
    return alarmed


def shown(ours: float, plain: float) -> tuple[str, str, str]:
    ratio = f"{ours / plain:.2f}" if plain else "-"
    return f"{ours:g}", f"{plain:g}", ratio


if __name__ == "__main__":
    main()
