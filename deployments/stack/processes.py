"""Processes of the stack: in sessions of their own, known and ended by id and start time."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from domain.errors import Failed, Unavailable

POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Process:
    """A process id and when it started, so that a reused id is never taken for ours."""

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int) -> "Process":
        return cls(pid, psutil.Process(pid).create_time())

    def runs(self) -> bool:
        try:
            found = psutil.Process(self.pid)
            alive = found.status() != psutil.STATUS_ZOMBIE
            return alive and bool(found.create_time() == self.started)
        except psutil.NoSuchProcess:
            return False


def started(command: Sequence[str], log: Path, environment: Mapping[str, str]) -> Process:
    """Starts a command whose output goes to ``log``; it outlives its starter."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
            start_new_session=True,
        )
    return Process.of(child.pid)


def ended(process: Process, name: str, limit_seconds: float) -> None:
    """Asks with a signal, and kills what has not ended in time; Failed when even that fails."""
    if not process.runs():
        return
    os.kill(process.pid, signal.Signals[f"SIG{name}"])
    if until(lambda: not process.runs(), limit_seconds):
        return
    os.kill(process.pid, signal.SIGKILL)
    if not until(lambda: not process.runs(), limit_seconds):
        raise Failed(f"process {process.pid} does not end, not even by SIGKILL")


def end_tree(process: Process, limit_seconds: float) -> None:
    """Ends a process and everything it started, which may have outlived its own signal."""
    if not process.runs():
        return
    children = [Process.of(child.pid) for child in psutil.Process(process.pid).children(True)]
    for one in (process, *children):
        ended(one, "TERM", limit_seconds)


def until(condition: Callable[[], bool], limit_seconds: float) -> bool:
    """Polls until ``condition`` holds; False when it never did within the limit."""
    deadline = time.monotonic() + limit_seconds
    while True:
        if condition():
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(POLL_SECONDS)


def wait_for(what: str, condition: Callable[[], bool], limit_seconds: float, log: Path) -> None:
    """Raises Unavailable, with the end of ``log``, when ``condition`` does not hold in time."""
    if not until(condition, limit_seconds):
        tail = log.read_text(errors="replace")[-1500:] if log.exists() else ""
        raise Unavailable(f"{what} did not answer within {limit_seconds:.0f} s; {log}:\n{tail}")
