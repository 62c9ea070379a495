"""What 300 hosts take of the orchestrator: as a deployment asks them, and all connected at once."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psutil

from tasks.fleet import asked
from tests.bench.results import Result
from tests.bench.with_tradewind import HOSTS_AT_ONCE, agents

COUNT = 300
MIB = 1 << 20
LIMIT_SECONDS = 600
SAMPLE_SECONDS = 0.05
COLUMNS = ("hosts", "peak memory, MiB", "more than before, MiB", "a host, KiB", "most threads")

Peak = dict[str, int]


def memory() -> Result:
    """In a process of its own, so that nothing else counts."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.bench.memory"],
        capture_output=True, text=True, timeout=LIMIT_SECONDS, check=True,
    )  # fmt: skip
    peaks: dict[str, Peak] = json.loads(ran.stdout.splitlines()[-1])
    before = peaks["none"]["bytes"]
    rows = tuple(row(name, peak, before) for name, peak in peaks.items())
    return Result("The orchestrator's memory", COLUMNS, rows, {"peaks": peaks, "hosts": COUNT})


def row(name: str, peak: Peak, before: int) -> tuple[str, ...]:
    more = peak["bytes"] - before
    return (
        name, f"{peak['bytes'] / MIB:.0f}", f"{more / MIB:.0f}", f"{more / COUNT / 1024:.0f}",
        str(peak["threads"]),
    )  # fmt: skip


def main() -> None:
    """Prints the peaks of each way; what was measured first takes nothing of the next."""
    with agents(COUNT, "envoy") as hosts:
        peaks = {"none": peak(lambda: None)}
        peaks[f"{COUNT}, as a deployment asks them"] = peak(
            lambda: asked(hosts, lambda host: host.observe())
        )
        with ThreadPoolExecutor(HOSTS_AT_ONCE) as at_once:
            peaks[f"{COUNT}, all connected at once"] = peak(
                lambda: list(at_once.map(lambda host: host.observe(), hosts))
            )
        print(json.dumps(peaks))


def peak(act: Callable[[], object]) -> Peak:
    """Resident bytes and threads, at their most while ``act`` is under way."""
    over, process = threading.Event(), psutil.Process()
    most = {"bytes": process.memory_info().rss, "threads": threading.active_count()}

    def sample() -> None:
        while not over.wait(SAMPLE_SECONDS):
            most["bytes"] = max(most["bytes"], process.memory_info().rss)
            most["threads"] = max(most["threads"], threading.active_count() - 1)

    sampler = threading.Thread(target=sample)
    sampler.start()
    act()
    over.set()
    sampler.join()
    return most


if __name__ == "__main__":
    main()
