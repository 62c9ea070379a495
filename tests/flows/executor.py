"""Executors of a release's run that die by SIGKILL where a test wants them to."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.flow_engine import run_flow
from prefect.settings import PREFECT_API_URL, PREFECT_HOME, temporary_settings
from prefect.states import Pending

from blocks.hosts.agent_host import AgentHost
from blocks.shop import Live
from flows.release import release
from tasks.deployment import executor
from tasks.recover import recover
from tests.flows.world import World

EXECUTOR_SECONDS = 90.0
EVERY = int(os.environ.get("TRADEWIND_KILL_EVERY", "6"))
"""`make campaign-kills` dies at every place, which takes six times as long."""
_turn = threading.Lock()


def mortal(seen: Path) -> None:
    """From now on this process dies once at every n-th place: before a write, or after it."""

    def on_write(moment: str, what: str) -> None:
        with _turn:
            here, places = f"{moment} {what}", seen.read_text().splitlines()
            if here in places:
                return
            with seen.open("a") as file:
                file.write(f"{here}\n")
                file.flush()
                os.fsync(file.fileno())
            if len(places) % EVERY == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    Live.on_write = on_write


def execute(run: str, seen: str) -> None:
    """Carries the run on, dying at the next write; exits 0 at the run's end."""
    mortal(Path(seen))
    carry_on(run)


def execute_all_but(run: str, host: str, others: int) -> None:
    """Carries the run on and dies when all hosts but one have got the traffic of a wave."""
    routed = threading.Semaphore(0)
    route = AgentHost.route

    def last(self: AgentHost, *asked: Any) -> int:
        if self.name == host:
            for _ in range(others):
                routed.acquire()
            os.kill(os.getpid(), signal.SIGKILL)
        cursor = route(self, *asked)
        routed.release()
        return cursor

    AgentHost.route = last  # type: ignore[method-assign]  # in a process of its own
    carry_on(run)


def carry_on(run: str) -> None:
    """From the run's top, as a worker would that found it again."""
    with get_client(sync_client=True) as client:
        client.set_flow_run_state(UUID(run), Pending(), force=True)
        found = client.read_flow_run(UUID(run))
    run_flow(release, flow_run=found, parameters=found.parameters, return_type="state")


def created(world: World, ref: str) -> UUID:
    """A run that no worker picks up: only our executors have it."""
    request = {"ref": ref, "requested_by": "Ann"}
    parameters = {"shop": world.live.shop.shop, "request": request}
    with get_client(sync_client=True) as client:
        return client.create_flow_run(release, parameters=parameters).id


def restore_again(path: str, state: str, number: int, seen: str) -> None:
    """Carries a database's restore on, dying at the next write; exits 0 at its end."""
    mortal(Path(seen))
    recover(Live(Path(path), Path(state)), number, executor("a test"))


class Executors:
    """Processes that start fast and know the world's Prefect server."""

    def __init__(self, world: World) -> None:
        self._prefect = (world.stack.api, str(world.live.state / "prefect"))
        self._processes = multiprocessing.get_context("forkserver")
        self._processes.set_forkserver_preload(["tests.flows.executor", "blocks.quality"])

    def survived(self, target: Callable[..., None], *arguments: Any) -> bool:
        """False when it died as it was meant to; anything but that and a good end is an error."""
        process = self._processes.Process(target=_within, args=(self._prefect, target, arguments))
        process.start()
        process.join(EXECUTOR_SECONDS)
        assert process.exitcode in (0, -signal.SIGKILL), f"ended with {process.exitcode}"
        return process.exitcode == 0


def _within(prefect: tuple[str, str], target: Callable[..., None], arguments: Any) -> None:
    """The server that starts processes may have been another world's."""
    api, home = prefect
    with temporary_settings({PREFECT_API_URL: api, PREFECT_HOME: home}):
        target(*arguments)
