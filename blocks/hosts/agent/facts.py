"""What a host is: versions of everything a release meets on it, its free disk and its clock."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

from .files import Refusal, read

LIMIT_SECONDS = 10
VERSION_FLAGS = {"envoy": "--version", "haproxy": "-v", "supervisord": "--version"}
SEARCHED = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def facts(home: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """``now`` is its clock in seconds since 1970; versions are "" where a thing is missing."""
    tools = {**read(home / "tools.json", {}), **resolved(asked.get("tools", {}))}
    return {
        "python": platform.python_version(),
        "kernel": platform.release(),
        "architecture": platform.machine(),
        "engine": engine_version(tools.get("engine", "")),
        "proxy": version(tools.get("proxy", ""), tools.get(tools.get("proxy", ""), "")),
        "supervisor": version("supervisord", tools.get("supervisord", "")),
        "disk_free_bytes": shutil.disk_usage(home).free,
        "now": time.time(),
    }


def resolved(wanted: dict[str, str]) -> dict[str, str]:
    """Programs given by name are looked for where a host has them; paths stay."""
    searched = os.pathsep.join((os.environ.get("PATH", ""), SEARCHED))
    return {
        name: (shutil.which(value, path=searched) or "")
        if name in (*VERSION_FLAGS, "python")
        else value
        for name, value in wanted.items()
    }


def version(tool: str, path: str) -> str:
    """The first line of what a program says of itself."""
    if tool not in VERSION_FLAGS or not path:
        return ""
    try:
        ran = subprocess.run(
            [path, VERSION_FLAGS[tool]],
            capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    lines = [line.strip() for line in ran.stdout.splitlines() if line.strip()]
    return lines[0] if lines and ran.returncode == 0 else ""


def engine_version(socket: str) -> str:
    from . import engine  # late: a host without containers need not wait for it

    try:
        return str(engine.version(socket)["Version"]) if socket else ""
    except (Refusal, OSError, KeyError):
        return ""
