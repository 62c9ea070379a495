"""60 switches, each to a version newly started, under a client that forgives nothing."""

import json
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from blocks.artifacts import Artifacts, Ingredients
from blocks.hosts.agent_host import AgentHost
from domain.host import Unit
from domain.shop import Stop
from tests.bench.results import Result, spread
from tests.bench.with_tradewind import SERVER, agents

SHOP = Path(__file__).with_name("shop_server.py")
PROXIES = ("envoy", "haproxy")
RATE = 500
WEIGHTS = (10, 50, 100)
HEALTH_SECONDS, DRAIN_SECONDS, LIMIT_SECONDS = 30, 30, 120
EPOCH = 1
COLUMNS = (
    "proxy", "switches", "requests", "failed", "done twice", "never done", "per second",
    "p50 ms", "p99 ms", "longest ms", "a switch, s",
)  # fmt: skip


class Line:
    """Versions of one service on one host, each replacing the one before."""

    def __init__(self, host: AgentHost, folder: Path) -> None:
        self.orders = folder / "orders"
        self._host, self._number = host, 0
        source = folder / "app"
        source.mkdir()
        (source / "server.py").write_text(SHOP.read_text())
        artifacts = Artifacts(folder / "artifacts")
        made = artifacts.build(Ingredients("web", source, folder / "none", "s", "r"))
        self._digest = made.digest
        host.prepare()
        host.place(artifacts.parcel(made.digest), EPOCH)

    def begin(self) -> int:
        """The first version has everything; answers the proxy's port."""
        self._start("1")
        self._host.route("web", {"1": 100}, EPOCH)
        self._number = 1
        return self._host.observe().listeners["web"]

    def switch(self) -> None:
        """Beside the old one, a slice at a time, drained before it ends."""
        old, new = str(self._number), str(self._number + 1)
        self._start(new)
        for weight in WEIGHTS:
            rest = {old: 100 - weight} if weight < 100 else {}
            self._host.route("web", {new: weight, **rest}, EPOCH)
        self._host.drain("web", old, DRAIN_SECONDS)
        self._host.retire(f"web@{old}", EPOCH)
        self._number += 1

    def _start(self, version: str) -> None:
        environment = {"ORDERS": str(self.orders)}
        unit = Unit("web", version, self._digest, "web", SERVER, environment, Stop())
        self._host.start(unit, "", EPOCH)
        self._host.health(unit.name, "/health", HEALTH_SECONDS)


def switches(switches: int, requests: int) -> Result:
    """Both proxies, ``switches`` spread over at least so many ``requests`` at 500 a second."""
    found = {proxy: measured(proxy, switches, requests) for proxy in PROXIES}
    title = f"Switches under {RATE} POSTs a second that nobody sends again"
    return Result(title, COLUMNS, tuple(row(*one) for one in found.items()), found)


def measured(proxy: str, switches: int, requests: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="tradewind-bench-") as folder, agents(1, proxy) as (h,):
        try:
            line = Line(h, Path(folder))
            with load(line.begin(), requests) as told:
                took = list(switched(line, switches, requests / RATE / switches))
            return {**told, "switch_seconds": took, **executed(line.orders, told["sent"])}
        finally:
            h.shutdown()


def switched(line: Line, switches: int, pace_seconds: float) -> Iterator[float]:
    """The seconds of each switch; one begins every ``pace_seconds`` where it can."""
    begun = time.monotonic()
    for number in range(switches):
        threading.Event().wait(max(0.0, begun + number * pace_seconds - time.monotonic()))
        before = time.monotonic()
        line.switch()
        yield time.monotonic() - before


@contextmanager
def load(port: int, requests: int) -> Iterator[dict[str, Any]]:
    """In a process of its own, for as long as it is inside; its report is there afterwards."""
    command = [
        sys.executable, "-m", "tests.bench.strict", "--port", str(port),
        "--rate", str(RATE), "--at-least", str(requests),
    ]  # fmt: skip
    told: dict[str, Any] = {}
    with subprocess.Popen(command, stdout=subprocess.PIPE) as client:
        try:
            yield told
            client.send_signal(signal.SIGTERM)
            answer, _ = client.communicate(timeout=requests / RATE + LIMIT_SECONDS)
            told.update(json.loads(answer))
        finally:
            client.kill()


def executed(orders: Path, sent: int) -> dict[str, int]:
    """What the shop itself wrote down: every order once, whatever the client was told."""
    times = Counter(json.loads(line)["number"] for line in orders.read_text().splitlines())
    return {"twice": sum(count > 1 for count in times.values()), "never": sent - len(times)}


def row(proxy: str, found: dict[str, Any]) -> tuple[str, ...]:
    counted = ("sent", "failed", "twice", "never", "rate", "p50_ms", "p99_ms", "max_ms")
    shown = (f"{found[name]:,}" for name in counted)
    took = found["switch_seconds"]
    return (proxy, f"{len(took)}", *shown, spread(took))
