"""A release's own code against a copy of the database: its smoke test and its load, as commands."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from blocks.commands import Ran, python, run
from domain.schema.rehearsal import Load
from domain.schema.settings import Smoke

PAUSE_SECONDS = 0.5
NO_COMMAND = 127
"""What a shell answers when a command is not there."""


class Code(Protocol):
    """A version of the shop that can be tried; None where the shop declares no such command."""

    def smoke(self, url: str) -> Ran | None:
        """Its smoke test, once, on the database at ``url``."""
        ...

    def load(self, url: str) -> AbstractContextManager[Callable[[], Load]] | None:
        """Its load, again and again while open; the value tells how it went so far."""
        ...


@dataclass(frozen=True)
class Exported:
    """An exported commit, its installed requirements, its commands, and a folder for its logs."""

    source: Path
    site: Path
    smoke_test: Smoke | None
    load_test: Smoke | None
    logs: Path

    def smoke(self, url: str) -> Ran | None:
        return self._ran(self.smoke_test, url, "smoke.log") if self.smoke_test else None

    def load(self, url: str) -> AbstractContextManager[Callable[[], Load]] | None:
        """Leaving waits for the run under way, its time limit at most: each run counts whole."""
        test = self.load_test
        return _repeated(lambda: self._ran(test, url, "load.log")) if test else None

    def _ran(self, test: Smoke, url: str, log: str) -> Ran:
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": os.pathsep.join((str(self.source), str(self.site))),
            "DATABASE_URL": url,
        }
        command, limit = python(test.command), test.timeout_seconds
        try:
            return run(command, self.logs / log, limit, self.source, environment)
        except OSError as error:
            return Ran(NO_COMMAND, 0.0, f"{command[0]}: {error.strerror}")


@contextmanager
def _repeated(once: Callable[[], Ran]) -> Iterator[Callable[[], Load]]:
    over, runs = threading.Event(), list[Ran]()

    def keep_on() -> None:
        while not over.is_set():
            runs.append(once())
            if runs[-1].exit_code != 0:
                over.wait(PAUSE_SECONDS)

    thread = threading.Thread(target=keep_on)
    thread.start()
    try:
        yield lambda: _load(tuple(runs))
    finally:
        over.set()
        thread.join()


def _load(runs: tuple[Ran, ...]) -> Load:
    failed = [ran for ran in runs if ran.exit_code != 0]
    return Load(len(runs), len(failed), failed[0].tail[-4000:] if failed else "")
