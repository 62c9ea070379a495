"""What 300 hosts take of the orchestrator's memory, each with its connection open."""

import gc
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import psutil

from tests.bench.results import Result
from tests.bench.with_tradewind import HOSTS_AT_ONCE, agents

COUNT = 300
MIB = 1 << 20
LIMIT_SECONDS = 600
COLUMNS = ("hosts connected", "memory, MiB", "more than before, MiB", "a host, KiB", "threads")


def memory() -> Result:
    """In a process of its own, so that nothing else counts."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.bench.memory"],
        capture_output=True, text=True, timeout=LIMIT_SECONDS, check=True,
    )  # fmt: skip
    before, after, threads = (int(word) for word in ran.stdout.split()[-3:])
    more = after - before
    rows = (
        ("0", f"{before / MIB:.0f}", "", "", "1"),
        (f"{COUNT}", f"{after / MIB:.0f}", f"{more / MIB:.0f}", f"{more / COUNT / 1024:.0f}",
         f"{threads}"),
    )  # fmt: skip
    raw = {"before_bytes": before, "after_bytes": after, "threads": threads, "hosts": COUNT}
    return Result("The orchestrator's memory", COLUMNS, rows, raw)


def main() -> None:
    """Prints resident bytes before and after, and the threads afterwards."""
    with agents(COUNT, "envoy") as hosts:
        before = resident()
        with ThreadPoolExecutor(HOSTS_AT_ONCE) as at_once:
            list(at_once.map(lambda host: host.observe(), hosts))
        print(before, resident(), threading.active_count())


def resident() -> int:
    gc.collect()
    size: int = psutil.Process().memory_info().rss
    return size


if __name__ == "__main__":
    main()
