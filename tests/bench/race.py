"""The same releases brought to the same hosts by every way, turn about."""

import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from tests.bench.releases import Release, Releases
from tests.bench.results import Result, ratios, spread
from tests.bench.ways import Way
from tests.bench.with_ansible import Ansible
from tests.bench.with_pyinfra import Pyinfra
from tests.bench.with_ssh import Pipe
from tests.bench.with_tradewind import Tradewind
from tests.sshd import Fleet

ROUNDS = {1: 5, 10: 3, 50: 3}
SLOW_ROUNDS = {("pyinfra", 50): 2, ("ansible-core", 50): 1}
"""Those that take minutes there."""
FLOOR, OURS = Pipe.name, Tradewind.name
COLUMNS = (
    "hosts", "new in the release", "way", "seconds", "× the OpenSSH pipe", "Tradewind is faster ×",
)  # fmt: skip
CASES = ("10 %", "100 %")

Seconds = dict[str, dict[str, list[float]]]
"""By case, then by way, a number for each round."""


def race(count: int) -> Result:
    """Seconds of each way at ``count`` hosts; median, least and most."""
    seconds: Seconds = {case: defaultdict(list) for case in CASES}
    with tempfile.TemporaryDirectory(prefix="tradewind-bench-") as folder:
        releases = Releases(Path(folder) / "releases")
        with Fleet(Path(folder) / "fleet", count, "") as fleet, ExitStack() as held:
            ways: tuple[Way, ...] = (Pipe(), Tradewind(), Pyinfra(), Ansible())
            for way in ways:
                way.prepare(fleet, held)
            run(ways, releases, count, seconds)
    title = f"A release of 20 MB to {count} host{'s' if count > 1 else ''}"
    return Result(
        title,
        COLUMNS,
        tuple(rows(count, seconds)),
        {"seconds": {case: dict(ways) for case, ways in seconds.items()}},
    )


def run(ways: tuple[Way, ...], releases: Releases, count: int, seconds: Seconds) -> None:
    """The first release warms up and is not counted; the order turns with the rounds."""
    first = releases.wholly_new()
    for way in ways:
        if rounds(way, count) == ROUNDS[count]:
            timed(way, first)
    for number in range(ROUNDS[count]):
        for case, make in zip(CASES, (releases.mostly_the_same, releases.wholly_new), strict=True):
            release = make()
            for way in (*ways[number % len(ways) :], *ways[: number % len(ways)]):
                if number < rounds(way, count):
                    seconds[case][way.name].append(timed(way, release))


def rounds(way: Way, count: int) -> int:
    return SLOW_ROUNDS.get((way.name, count), ROUNDS[count])


def timed(way: Way, release: Release) -> float:
    """What others left to be written to the disk is not on this one's time."""
    way.pack(release)
    os.sync()
    before = time.monotonic()
    way.deploy(release)
    after = time.monotonic()
    way.tidy(release)
    return after - before


def rows(count: int, seconds: Seconds) -> Iterator[tuple[str, ...]]:
    for case, ways in seconds.items():
        for way, took in ways.items():
            faster = spread(ratios(took, ways[OURS]), 1) if way != OURS else ""
            slower = spread(ratios(took, ways[FLOOR])) if way != FLOOR else ""
            yield f"{count}", case, way, spread(took), slower, faster
