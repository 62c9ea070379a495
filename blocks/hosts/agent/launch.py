"""What supervisord and schedules run: this process becomes a unit, with its environment alone.

Imports as little as it can: it stands before every start of a unit.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from .files import LOOPBACK, read
from .units import hex_of, role_path, unit_path


def agent_command(home: Path) -> list[str]:
    """How supervisord runs this agent: by a name that stays when a newer one arrives."""
    return [read(home / "tools.json")["python"], "-I", "-S", f"{home}/agent"]


def become(home: Path, name: str) -> None:
    """This process becomes the unit's own program, with its environment and nothing else."""
    unit = read(unit_path(home, name))
    folder = home / "artifacts" / hex_of(unit["digest"])
    command = command_of(home, unit)
    os.chdir(folder / "app")
    os.execvpe(command[0], command, environment_of(home, name, unit))  # noqa: S606 no shell wanted


def command_of(home: Path, unit: dict[str, Any]) -> list[str]:
    command = list(unit["command"])
    if command[0] == "python":
        command[0] = read(home / "tools.json")["python"]
    return command


def environment_of(home: Path, name: str, unit: dict[str, Any]) -> dict[str, str]:
    folder = home / "artifacts" / hex_of(unit["digest"])
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "HOME": str(folder),
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": f"{folder}/app:{folder}/site",
        **unit["environment"],
        "HOST": LOOPBACK,
        "PORT": str(unit["port"]),
        "TRADEWIND_ROLE_FILE": str(role_path(home, name)),
    }


def output_to(path: str, command: list[str]) -> None:
    """This process becomes ``command``, its standard output appended to a file."""
    opened = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    os.dup2(opened, sys.stdout.fileno())
    os.execvp(command[0], command)  # noqa: S606 no shell wanted
