"""What one step costs: a request to a host's agent and its answer, on a connection that is open."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from statistics import median

from blocks.hosts.agent_host import AgentHost
from tests.bench.results import Result, spread
from tests.bench.with_tradewind import HOSTS_AT_ONCE, agents

COUNTS = (1, 10, 50)
ROUNDS = 30
COLUMNS = (
    "hosts", "first step, connection and agent included, ms", "a step, all hosts at once, ms",
    "a step, for each host, ms",
)  # fmt: skip


def steps() -> Result:
    """The step is ``observe``, the one that every other ends in."""
    found = {count: measured(count) for count in COUNTS}
    rows = tuple(
        (f"{count}", spread(one["first"], 0), spread(one["all"], 1), spread(one["each"], 1))
        for count, one in found.items()
    )
    return Result("The cost of a step", COLUMNS, rows, {str(k): v for k, v in found.items()})


def measured(count: int) -> dict[str, list[float]]:
    """Milliseconds: the first step of each host, then of each round the whole and its median."""
    with agents(count, "envoy") as hosts, ThreadPoolExecutor(HOSTS_AT_ONCE) as at_once:
        first = list(at_once.map(asked, hosts))
        rounds = [round_of(hosts, at_once) for _ in range(ROUNDS)]
    return {
        "first": first,
        "all": [whole for whole, _ in rounds],
        "each": [median(each) for _, each in rounds],
    }


def round_of(
    hosts: Sequence[AgentHost], at_once: ThreadPoolExecutor
) -> tuple[float, Sequence[float]]:
    before = time.monotonic()
    each = list(at_once.map(asked, hosts))
    return 1000 * (time.monotonic() - before), each


def asked(host: AgentHost) -> float:
    before = time.monotonic()
    host.observe()
    return 1000 * (time.monotonic() - before)
