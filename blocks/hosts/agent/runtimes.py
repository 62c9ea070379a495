"""How units run: as a program of supervisord or as a container, behind the same verbs."""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import ModuleType
from typing import Any

from . import processes
from .files import Refusal, read, seen_epoch, until
from .pages import request
from .pieces import artifact_path
from .units import role_path, unit_path, units

ENDED = ("FATAL", "ABSENT", "STOPPED", "EXITED")
LOG_BYTES = 2000
CONTAINER_ROLE = "/run/tradewind/role"


def containers() -> ModuleType:
    """Imported late: a host without containers need not wait for it."""
    from . import containers as found

    return found


def images() -> ModuleType:
    """The same."""
    from . import images as found

    return found


def holds(home: Path, unit: dict[str, Any]) -> bool:
    """The unit's artifact or image is on this host."""
    if unit["runtime"] == "docker":
        return bool(images().has(socket(home), unit["digest"]))
    return artifact_path(home, unit["digest"]).is_dir()


def start(home: Path, name: str) -> None:
    """The unit runs; one that runs already stays as it is."""
    unit = read(unit_path(home, name))
    if unit["runtime"] == "docker":
        containers().run(socket(home), container(home, name, unit))
    else:
        processes.start(home, name)


def state_of(home: Path, name: str) -> str:
    """supervisord's word for it: RUNNING, STARTING, BACKOFF, FATAL, STOPPED, ABSENT."""
    if read(unit_path(home, name))["runtime"] == "docker":
        return str(containers().state(socket(home), container_name(home, name)))
    return processes.state_of(home, name)


def tail_of(home: Path, name: str) -> str:
    """The end of what the unit wrote."""
    if read(unit_path(home, name))["runtime"] == "docker":
        return str(containers().logs(socket(home), container_name(home, name), LOG_BYTES))
    return processes.tail_of(home, name)


def end(home: Path, name: str) -> None:
    """The unit ends, by its own signal and in its own time."""
    unit = read(unit_path(home, name))
    if unit["runtime"] == "docker":
        containers().stop(socket(home), container_name(home, name), unit["stop"]["timeout_seconds"])
        containers().remove(socket(home), container_name(home, name))
    else:
        processes.withdrawn(home, name)


def health(home: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """200 on the health page within the limit; a crash loop fails at once.

    Either way the end of what the unit wrote is told: on a slow host a crash loop takes longer.
    """
    name = asked["unit"]
    port = read(unit_path(home, name), {"port": 0})["port"]

    def healthy() -> bool:
        state = state_of(home, name) if port else "ABSENT"
        if state in ENDED:
            raise Refusal("failed", f"{name} is {state}: {tail_of(home, name) if port else ''}")
        return state == "RUNNING" and request(port, "GET", asked["path"], {})[0] == 200

    def written() -> str:
        return f": {tail_of(home, name)}" if port else ""

    until(f"{name} is healthy on {asked['path']}", healthy, asked["limit_seconds"], written)
    return {"healthy": True}


def socket(home: Path) -> str:
    return str(read(home / "tools.json")["engine"])


def owner(home: Path) -> str:
    """Whose containers and images they are: several homes may share an engine."""
    return f"tradewind-{hashlib.sha256(str(home).encode()).hexdigest()[:8]}"


def container_name(home: Path, name: str) -> str:
    return f"{owner(home)}-{name.replace('@', '-')}"


def container(home: Path, name: str, unit: dict[str, Any]) -> dict[str, Any]:
    """What the engine is asked for."""
    environment = {
        **unit["environment"],
        "HOST": "0.0.0.0",
        "PORT": str(unit["port"]),
        "TRADEWIND_ROLE_FILE": CONTAINER_ROLE,
    }
    return {
        "name": container_name(home, name),
        "image": unit["digest"],
        "command": unit["command"],
        "environment": environment,
        "labels": {
            "org.tradewind.service": unit["service"],
            "org.tradewind.version": unit["version"],
            "org.tradewind.home": str(home),
            "org.tradewind.epoch": str(seen_epoch(home)),
        },
        "port": unit["port"],
        "limits": unit["limits"],
        "read_only": unit["read_only"],
        "networks": unit["networks"],
        "mounts": [*unit["mounts"], f"{role_path(home, name)}:{CONTAINER_ROLE}:ro"],
        "stop": unit["stop"],
        "user": unit["user"],
    }


def images_in_use(home: Path) -> set[str]:
    return {unit["digest"] for unit in units(home).values() if unit["runtime"] == "docker"}
