"""Child processes: argument lists only, output into a file, a limit, and the whole group ended.

No secret that this process knows comes into the file, however the child writes it.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from blocks.redaction import KNOWN
from blocks.redaction.bounded import Bounded
from blocks.redaction.pump import redacted_into

TAIL_BYTES = 20_000
GRACE_SECONDS = 2.0
POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Ran:
    """``exit_code`` is None when the limit ended it; ``tail`` is the end of its output."""

    exit_code: int | None
    seconds: float
    tail: str


def run(
    command: Sequence[str],
    log: Path,
    limit_seconds: float,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Ran:
    """Runs in a process group of its own, which is gone afterwards, grandchildren included.

    What has left that group may go on, but nothing more of its output is taken. ``log`` keeps
    the beginning and the end of what was written, as ``Bounded`` says.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    begun = time.monotonic()
    with log.open("w+b") as file, redacted_into(Bounded(file), KNOWN) as output:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=None if environment is None else dict(environment),
            start_new_session=True,
        )
        exit_code = _waited(child, limit_seconds)
    return Ran(exit_code, time.monotonic() - begun, tail(log))


def _waited(child: "subprocess.Popen[bytes]", limit_seconds: float) -> int | None:
    try:
        return child.wait(limit_seconds)
    except subprocess.TimeoutExpired:
        return None
    finally:
        _end_group(child)


def _end_group(child: "subprocess.Popen[bytes]") -> None:
    """TERM, a moment of grace, then KILL: for what hung and for what was left behind."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        _signalled(child.pid, sign)
        deadline = time.monotonic() + GRACE_SECONDS
        while _signalled(child.pid, 0) and time.monotonic() < deadline:
            child.poll()  # our own zombie would keep the group alive
            time.sleep(POLL_SECONDS)


def _signalled(group: int, sign: int) -> bool:
    """Whether the group was still there to get it."""
    try:
        os.killpg(group, sign)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def tail(log: Path) -> str:
    """The last ``TAIL_BYTES`` of a file, whatever its size."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - TAIL_BYTES))
        return file.read().decode(errors="replace")


def python(command: Sequence[str]) -> list[str]:
    """A declared command, "python" as its first word being the interpreter that runs Tradewind."""
    return [sys.executable if command[0] == "python" else command[0], *command[1:]]
