"""Text that has to outlive the process, like a token that is good for one use only."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TextIO

from domain.errors import Unavailable

POLL_SECONDS = 0.02


class Store(Protocol):
    """One text; whoever reads it to change it does so ``alone``."""

    def alone(self) -> AbstractContextManager[None]: ...

    def load(self) -> str:
        """ "" when nothing was kept yet."""
        ...

    def save(self, text: str) -> None: ...


@dataclass(frozen=True)
class KeptFile:
    """A Store that only its owner can read; a crash leaves the old text or the new one."""

    path: Path
    alone_seconds: float = 60

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Against other processes and threads; Unavailable after ``alone_seconds``."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.with_suffix(".lock").open("w") as lock:
            self._lock(lock)
            yield

    def load(self) -> str:
        return self.path.read_text() if self.path.exists() else ""

    def save(self, text: str) -> None:
        fresh = self.path.with_suffix(".fresh")
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.path)

    def _lock(self, lock: TextIO) -> None:
        deadline = time.monotonic() + self.alone_seconds
        while True:
            try:
                return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    waited = f"{self.alone_seconds:g} s"
                    raise Unavailable(f"{lock.name} is held for over {waited}") from error
                time.sleep(POLL_SECONDS)
