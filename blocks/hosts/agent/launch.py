"""How units and the agent are started: commands, environments, a script for each unit."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import Any

from .files import LOOPBACK, read
from .units import hex_of, role_path, unit_path


def agent_command(home: Path) -> list[str]:
    """How supervisord runs this agent: by a name that stays when a newer one arrives."""
    return [read(home / "tools.json")["python"], "-I", "-S", f"{home}/agent"]


def script(home: Path, name: str) -> str:
    """What supervisord runs: the unit's own program, with its environment and nothing else.

    A shell starts in a millisecond, and a person may run it, too.
    """
    unit = read(unit_path(home, name))
    folder = home / "artifacts" / hex_of(unit["digest"]) / "app"
    variables = [f"{key}={value}" for key, value in environment_of(home, name, unit).items()]
    command = " ".join(map(shlex.quote, (*variables, *command_of(home, unit))))
    return f"cd {shlex.quote(str(folder))} || exit 1\nexec env -i {command}\n"


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
