"""The host's folder: JSON files written all or nothing, a lock, the fence, ports, and waiting."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

LOOPBACK = "127.0.0.1"
POLL_SECONDS, MOST_POLL_SECONDS = 0.03, 0.4
ANSWER_SECONDS = 30.0
PORTS = range(20_000, 32_000)


class Refusal(Exception):
    """Said to the caller: ``kind`` is fenced, refused or failed."""

    def __init__(self, kind: str, message: str) -> None:
        self.kind = kind
        super().__init__(message)


class Overdue(Exception):
    """The request's time is over: not a refusal, so that nobody takes it for one and goes on."""


def read(path: Path, absent: Any = None) -> Any:
    return json.loads(path.read_text()) if path.exists() else absent


def write(path: Path, content: Any) -> None:
    write_text(path, json.dumps(content, indent=1, sort_keys=True))


def write_text(path: Path, text: str, mode: int = 0o600) -> None:
    """All or nothing; readable by the owner only unless said otherwise: units hold secrets."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, mode), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            fresh.unlink()


@contextlib.contextmanager
def locked(home: Path) -> Iterator[None]:
    home.mkdir(parents=True, exist_ok=True)
    with open(home / "lock", "a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def seen_epoch(home: Path) -> int:
    return int(read(home / "fence.json", {"epoch": 0})["epoch"])


def fence(home: Path, epoch: int) -> None:
    """The target enforces the epoch: nobody acts here with an older one than it has seen."""
    seen = seen_epoch(home)
    if epoch < seen:
        raise Refusal("fenced", f"epoch {epoch} is over, this host has seen {seen}")
    if epoch > seen:
        write(home / "fence.json", {"epoch": epoch})


def port_of(home: Path, name: str) -> int:
    """The same port every time for the same name."""
    ports: dict[str, int] = read(home / "ports.json", {})
    if name not in ports:
        ports[name] = free_port(ports.values())
        write(home / "ports.json", ports)
    return int(ports[name])


def free_port(taken: Collection[int] = ()) -> int:
    """Below those that the kernel gives to outgoing connections, which may take them meanwhile."""
    begin = int.from_bytes(os.urandom(4), "big")
    for step in range(len(PORTS)):
        port = PORTS[(begin + step) % len(PORTS)]
        if port in taken:
            continue
        with socket.socket() as free, contextlib.suppress(OSError):
            free.bind((LOOPBACK, port))
            return port
    raise Refusal("failed", f"no port from {PORTS[0]} to {PORTS[-1]} is free")


def listens(port: int) -> bool:
    """Somebody takes connections there."""
    with socket.socket() as probe:
        probe.settimeout(ANSWER_SECONDS)
        return probe.connect_ex((LOOPBACK, port)) == 0


def until(
    what: str,
    condition: Callable[[], bool],
    limit_seconds: float,
    more: Callable[[], str] = lambda: "",
) -> None:
    """Looks often at first, then less: fifty agents on one machine look, too.

    What is too late is refused with ``what`` was waited for, and whatever ``more`` tells.
    """
    deadline, pause = time.monotonic() + limit_seconds, POLL_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise Refusal("failed", f"{what}: not within {limit_seconds:g} s{more()}")
        time.sleep(pause)
        pause = min(1.5 * pause, MOST_POLL_SECONDS)
