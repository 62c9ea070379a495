"""What units, and the agent itself, wrote: bounded where it is kept, read on from a cursor.

HOME/logs/NAME.log with older ones NAME.log.1, NAME.log.2; a container's output is the engine's.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from binascii import crc32
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO

from .units import unit_path, units

if TYPE_CHECKING:
    import subprocess

KEPT_BYTES, KEPT_FILES = 10_000_000, 2
"""As supervisord is told for programs."""

KEPT_ENDED = 20
"""Units that are here no more and whose output is kept."""

MOST_BYTES = 1 << 20
MARK_BYTES = 256
BLOCK_BYTES, REST_SECONDS = 1 << 16, 2.0
IDLE_SECONDS = 1.0
"""Text without an end of line that nobody went on with for this long is a line."""

AGENT = "agent"


def log_path(home: Path, name: str) -> Path:
    return home / "logs" / f"{name}.log"


def outputs(home: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """Whose output is here: the agent's, and that of units of one version ("": of every)."""
    ended = {path.name.partition(".log")[0] for path in (home / "logs").glob("*@*.log*")}
    names = sorted({*ended, *units(home)})
    wanted = [one for one in names if asked["version"] in ("", one.partition("@")[2])]
    return {"names": [AGENT, *wanted]}


def output(home: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """Lines, each with its time or "", from a cursor on (None: from the oldest that is kept).

    ``lost`` says that some were gone before they were read; ``more`` that another call goes on.
    """
    name, most = asked["name"], max(1, min(int(asked["most_bytes"]), MOST_BYTES))
    if "/" in name or name.startswith("."):
        return {"lines": [], "cursor": None, "more": False, "lost": False, "at": 0}
    known = unit_path(home, name)
    if known.exists() and json.loads(known.read_text())["runtime"] == "docker":
        return _of_container(home, name, asked["cursor"], most)
    with ExitStack() as opened:
        return _of_files(_files(log_path(home, name), opened), asked["cursor"], most)


def _of_container(home: Path, name: str, cursor: Any, most: int) -> dict[str, Any]:
    from . import runtimes  # late: it needs this module's neighbours

    at, container = runtimes.socket(home), runtimes.container_name(home, name)
    lines, more = runtimes.containers().lines(at, container, str(cursor or ""), most)
    last = lines[-1][0] if lines else cursor
    return {"lines": lines, "cursor": last, "more": more, "lost": False, "at": time.time()}


def _files(place: Path, opened: ExitStack) -> list[BinaryIO]:
    """The oldest first. Opened from the newest on: one turned over meanwhile comes again."""
    found: dict[int, BinaryIO] = {}
    for suffix in ("", *(f".{number}" for number in range(1, KEPT_FILES + 1))):
        with suppress(FileNotFoundError):
            file = opened.enter_context(open(f"{place}{suffix}", "rb"))  # noqa: SIM115 it closes it
            found.setdefault(os.fstat(file.fileno()).st_ino, file)
    return list(found.values())[::-1]


def _of_files(files: list[BinaryIO], cursor: Any, most: int) -> dict[str, Any]:
    if not files:
        return {"lines": [], "cursor": cursor, "more": False, "lost": False, "at": 0}
    number, offset, lost = _place(files, cursor)
    pieces: list[bytes] = []
    left = most
    for one in files[number:]:
        one.seek(offset if one is files[number] else 0)
        pieces.append(one.read(left))
        left -= len(pieces[-1])
    content = b"".join(pieces)
    newest = os.fstat(files[-1].fileno()).st_mtime
    taken = _complete(content, not left, time.time() - newest > IDLE_SECONDS)
    end = _cursor(files, number, offset, taken)
    lines = content[:taken].decode(errors="replace").split("\n")
    shown = [["", line.rstrip("\r")] for line in (lines[:-1] if lines[-1] == "" else lines)]
    return {"lines": shown, "cursor": end, "more": not left, "lost": lost, "at": newest}


def _complete(content: bytes, cut: bool, idle: bool) -> int:
    """How many bytes are lines; one longer than an answer comes in pieces."""
    end = content.rfind(b"\n") + 1
    return len(content) if not end and (cut or idle) else end


def _place(files: list[BinaryIO], cursor: Any) -> tuple[int, int, bool]:
    """The file and offset of a cursor; where its file is gone, the oldest, and that it is lost."""
    if cursor is None:
        return 0, 0, False
    inode, offset, marked, mark = cursor
    for number, file in enumerate(files):
        about = os.fstat(file.fileno())
        if about.st_ino == inode and about.st_size >= offset and _mark(file, marked) == mark:
            return number, offset, False
    return 0, 0, True


def _cursor(files: list[BinaryIO], number: int, offset: int, taken: int) -> list[int]:
    """Where ``taken`` bytes after an offset end; the next file's beginning, if at one's end."""
    while number + 1 < len(files):
        left = os.fstat(files[number].fileno()).st_size - offset
        if taken < left:
            break
        number, offset, taken = number + 1, 0, taken - left
    file, offset = files[number], offset + taken
    marked = min(MARK_BYTES, offset)
    return [os.fstat(file.fileno()).st_ino, offset, marked, _mark(file, marked)]


def _mark(file: BinaryIO, count: int) -> int:
    """By which a file is known apart from another that got its inode."""
    file.seek(0)
    return crc32(file.read(count))


def keep(content: bytes, place: Path, most_bytes: int = KEPT_BYTES) -> None:
    """Appended; a file that gets too large is turned over first, by one process at a time."""
    with open(f"{place}.lock", "a") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if place.exists() and place.stat().st_size + len(content) > most_bytes:
            for number in range(KEPT_FILES, 0, -1):
                newer = f"{place}.{number - 1}" if number > 1 else str(place)
                if os.path.exists(newer):
                    os.replace(newer, f"{place}.{number}")
        with open(os.open(place, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600), "ab") as file:
            file.write(content)


def kept(child: subprocess.Popen[bytes], place: Path, limit_seconds: float) -> int:
    """The child's exit code, -1 when the limit ended it; its output comes into a bounded file.

    What it leaves behind may go on, but nothing more of its output is taken.
    """
    import subprocess  # late: most connections run no job
    import threading

    pump = threading.Thread(target=_pump, args=(child.stdout, place), daemon=True)
    pump.start()
    try:
        code = child.wait(limit_seconds)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
        code = -1
    pump.join(REST_SECONDS)
    return code


def _pump(source: IO[bytes], place: Path) -> None:
    """Until nobody can write any more."""
    while block := os.read(source.fileno(), BLOCK_BYTES):
        keep(block, place)


def note(home: Path, asked: dict[str, Any], told: dict[str, Any], seconds: float) -> None:
    """One line of the agent's own: what it was asked, for which release, and what came of it."""
    if not (home / "logs").is_dir():
        return  # a host that was never prepared
    refusal = told.get("refusal", "")
    second, part = divmod(time.time(), 1)
    at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
    unit = asked["unit"] if isinstance(asked.get("unit"), dict) else {}
    what = unit.get("service") or asked.get("unit") or asked.get("service") or ""
    labels = {f"labels.{name}": value for name, value in asked.get("labels", {}).items()}
    line = {
        "@timestamp": f"{at}.{int(part * 1e6):06}Z",
        "log.level": "warning" if refusal else "info",
        "message": f"{asked['verb']} {what}".strip() + (f": {told['message']}" if refusal else ""),
        "event.action": asked["verb"],
        "event.outcome": "failure" if refusal else "success",
        "event.duration": int(seconds * 1_000_000_000),
        "service.name": "tradewind-agent",
        "process.pid": os.getpid(),
        **labels,
    }
    keep(json.dumps(line).encode() + b"\n", log_path(home, AGENT))


def forget(home: Path) -> None:
    """The output of units that ended long ago."""
    here = units(home)
    found: dict[str, float] = {}
    for path in (home / "logs").glob("*@*.log*"):
        name = path.name.partition(".log")[0]
        if name not in here:
            found[name] = max(found.get(name, 0.0), path.stat().st_mtime)
    for name in sorted(found, key=lambda one: found[one])[:-KEPT_ENDED]:
        for path in (home / "logs").glob(f"{name}.log*"):
            path.unlink()
