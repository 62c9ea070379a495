"""A runner's run: a folder of its own, a limit, an environment without anything of ours."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from blocks.commands import Ran, run
from domain.errors import Failed

REQUEST_SECONDS = 30
MOST_REPORT_BYTES = 64 << 20


@dataclass(frozen=True)
class Target:
    """What is tried: the candidate's address, and the commit's files in ``source``.

    With ``reading`` nothing but GET and HEAD may be sent.
    """

    address: str
    source: Path
    reading: bool = False


@dataclass(frozen=True)
class Call:
    """A runner's command line, which has no secret on it; ``environment`` may have some."""

    command: Sequence[str]
    limit_seconds: float
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def room() -> Iterator[Path]:
    """A folder that nobody else can read, gone afterwards: it holds what references hold."""
    with tempfile.TemporaryDirectory(prefix="tradewind-apitests-") as folder:
        yield Path(folder)


def ran(call: Call, room: Path) -> Ran:
    """The runner's child; its output is in ``room``, redacted."""
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(room),
        "LANG": "C.UTF-8",
        "NO_PROXY": "*",
        **call.environment,
    }
    return run(call.command, room / "output.log", call.limit_seconds, call.folder, environment)


def problem(done: Ran, report: Path, limit_seconds: float) -> str:
    """Why there is nothing to read, "" when there is."""
    if done.exit_code is None:
        return f"did not end within {limit_seconds:g} s"
    if not report.exists():
        return f"ended with exit code {done.exit_code} and no report: {done.tail[-500:].strip()}"
    if report.stat().st_size > MOST_REPORT_BYTES:
        size = report.stat().st_size >> 20
        return f"its report has {size} MB, at most {MOST_REPORT_BYTES >> 20} are read"
    return ""


def program(name: str) -> str:
    """Its path, one beside this Python before others; "" when it is not to be found."""
    beside = Path(sys.executable).with_name(name)
    return str(beside) if beside.exists() else shutil.which(name) or ""


def put_in_place(fresh: Path, place: Path) -> None:
    """A finished folder gets its name; somebody else's that is there already is as good."""
    try:
        fresh.rename(place)
    except OSError as error:
        if not place.exists():
            raise Failed(f"{place} cannot be made: {error.strerror}") from error
