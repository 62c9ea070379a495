"""An outage on purpose: a unit dies at once, as in a crash, and nobody here starts it again."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from . import runtimes
from .files import ANSWER_SECONDS, Refusal, read, until
from .supervisord import Fault, call
from .units import unit_path


def kill(home: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """It is gone when this answers. A process comes back by its supervisor; a container stays."""
    name = asked["unit"]
    unit = read(unit_path(home, name))
    if unit is None or unit["kind"] == "job":
        raise Refusal("refused", f"{name} is no unit that runs on this host")
    if unit["runtime"] == "docker":
        from .engine import Call, ask  # late: a host without containers need not wait for it

        place = f"/containers/{runtimes.container_name(home, name)}/kill"
        ask(runtimes.socket(home), Call("POST", place), (404, 409))
        return {"killed": True}
    return {"killed": _kill_process(home, name)}


def _kill_process(home: Path, name: str) -> bool:
    """With everything it started, which is its group; False when it did not run."""
    pid = _pid(home, name)
    if not pid:
        return False
    os.killpg(pid, signal.SIGKILL)
    until(f"{name} is dead", lambda: _pid(home, name) != pid, ANSWER_SECONDS)
    return True


def _pid(home: Path, name: str) -> int:
    """Supervisord's; 0 while it does not run."""
    try:
        return int(call(home, "getProcessInfo", name)["pid"])
    except Fault:
        return 0
