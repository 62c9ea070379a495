"""Who dies on the way, at which moment, and how long it takes until the work goes on."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import psutil

from blocks.shop import Live
from deployments.stack import Stack
from deployments.stack.processes import Process, until
from domain.journal import Release
from tasks.deployment import scope_of
from tests.campaigns.scale.stack import SERVERS, WORKERS, ScaledStack

PATIENCE_SECONDS = 600.0
LAST = "production"


@dataclass
class Death:
    """``recovered_seconds`` is None until the work went on without the dead one."""

    who: str
    moment: str
    recovered_seconds: float | None = None


@dataclass
class Deaths:
    """A server while release 1 comes to production, a worker while release 2 has its canary."""

    seen: list[Death] = field(default_factory=list)

    @contextmanager
    def meanwhile(self, live: Live, stack: Stack) -> Iterator[None]:
        assert isinstance(stack, ScaledStack)
        killing = threading.Thread(target=self._kill, args=(live, stack), daemon=True)
        killing.start()
        yield
        killing.join(PATIENCE_SECONDS)

    def _kill(self, live: Live, stack: ScaledStack) -> None:
        self._server(live, stack)
        self._worker(live, stack)

    def _server(self, live: Live, stack: ScaledStack) -> None:
        name = SERVERS[0]
        if not until(lambda: begun(live, 1, "start storefront"), PATIENCE_SECONDS):
            return
        kill(stack.process(name))
        self._recovered(Death(name, "release 1 starts its candidate"), lambda: answers_again(stack))

    def _worker(self, live: Live, stack: ScaledStack) -> None:
        """The one that carries the release, with the flow it runs."""
        if not until(lambda: begun(live, 2, "watch storefront"), PATIENCE_SECONDS):
            return
        release, epoch = live.ledger.releases.all()[0], live.ledger.leases.epoch(LAST)
        name, children = carrying(stack, release)
        for one in (stack.process(name), *children):
            kill(one)
        taken = Death(name, "release 2 has its first customers")
        self._recovered(taken, lambda: live.ledger.leases.epoch(LAST) > epoch)

    def _recovered(self, death: Death, again: Callable[[], bool]) -> None:
        self.seen.append(death)
        since = time.monotonic()
        if until(again, PATIENCE_SECONDS):
            death.recovered_seconds = time.monotonic() - since


def begun(live: Live, number: int, step: str) -> bool:
    """Whether the ``number``-th release has come to a step, in the last environment."""
    releases = live.ledger.releases.all()
    if len(releases) != number:
        return False
    return any(
        one.name.startswith(step)
        for row in live.ledger.deployments.of_release(releases[0].version)
        if row.environment == LAST
        for one in live.ledger.steps(scope_of(row))
    )


def carrying(stack: ScaledStack, release: Release) -> tuple[str, list[Process]]:
    """The worker below which the release's flow runs, and everything that it started."""
    for name in WORKERS:
        children = psutil.Process(stack.process(name).pid).children(recursive=True)
        if any(_runs(one, release.flow_run) for one in children):
            return name, [Process.of(one.pid) for one in children]
    raise LookupError(f"no worker runs {release.flow_run}")


def _runs(process: psutil.Process, flow_run: str) -> bool:
    with suppress(psutil.Error):
        return bool(process.environ().get("PREFECT__FLOW_RUN_ID") == flow_run)
    return False


def kill(process: Process) -> None:
    """By SIGKILL; one that ended by itself meanwhile is as dead."""
    with suppress(psutil.NoSuchProcess):
        if process.runs():
            psutil.Process(process.pid).kill()


def answers_again(stack: ScaledStack) -> bool:
    return not stack.healthy(SERVERS[0]) and stack.answers()
