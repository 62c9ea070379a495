"""Jobs: commands that run at their times, each time once, as the version that has the schedule.

HOME/jobs/SERVICE/ schedule.json  {"version"}: which one runs next, moved by one write
                   TIME.json      {"version", "state": started | ended, "process", "exit_code"}
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Any

from . import launch, outputs
from .files import Refusal, locked, read, until, write
from .units import hex_of, unit_path

KEPT_RUNS = 1000


def schedule_path(home: Path, service: str) -> Path:
    return home / "jobs" / service / "schedule.json"


def scheduled(home: Path, service: str) -> str:
    """The version that runs next; "" while there is none."""
    return str(read(schedule_path(home, service), {"version": ""})["version"])


def hand_over(home: Path, service: str, version: str, role: str) -> dict[str, Any]:
    """``version`` has the schedule from now on, or has it no more; what runs is not disturbed."""
    now = scheduled(home, service)
    if role == "working" and now != version:
        write(schedule_path(home, service), {"version": version})
    if role == "standby" and now == version:
        write(schedule_path(home, service), {"version": ""})
    return {"role": role, "before": now}


def run_path(home: Path, service: str, at: str) -> Path:
    return home / "jobs" / service / f"{at.replace(':', '')}.json"


def run(home: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """The run of one scheduled time: begun now, or as it was begun before; never twice."""
    service, at = asked["service"], asked["at"]
    record = run_path(home, service, at)
    with locked(home):
        if not record.exists():
            version = scheduled(home, service)
            if not version:
                raise Refusal("failed", f"no version of {service} has the schedule on this host")
            write(record, {"version": version, "state": "started", "process": 0, "exit_code": None})
            _begin(home, service, at, asked["job_seconds"])
            _forget(record.parent)
    return run_state(home, asked)


def run_state(home: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """The run's record; one whose process is gone without an end is called lost."""
    known = dict(read(run_path(home, asked["service"], asked["at"]), {"state": "absent"}))
    if known["state"] == "started" and known["process"] and not _alive(known["process"]):
        return {**known, "state": "lost"}
    return known


def _begin(home: Path, service: str, at: str, limit_seconds: float) -> None:
    """A process of its own, which outlives this one; it has begun when its record says so."""
    import subprocess  # late: most connections run no job

    command = [*launch.agent_command(home), "job", str(home), service, at, str(limit_seconds)]
    with open(home / "logs" / f"{service}.log", "ab") as output:
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    record = run_path(home, service, at)
    until(f"{service} of {at} begins", lambda: bool(read(record)["process"]), 30)


def execute(home: Path, service: str, at: str, limit_seconds: float) -> None:
    """Runs the job to its end, one run of a service after another, and writes down how it ended."""
    import subprocess  # late: most connections run no job

    record = run_path(home, service, at)
    known = {**read(record), "process": os.getpid()}
    write(record, known)
    name = f"{service}@{known['version']}"
    unit = read(unit_path(home, name))
    folder = home / "artifacts" / hex_of(unit["digest"]) / "app"
    with open(home / "jobs" / service / "turn", "a") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        child = subprocess.Popen(
            launch.command_of(home, unit),
            cwd=folder,
            env={**launch.environment_of(home, name, unit), "TRADEWIND_SCHEDULED_AT": at},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        code = outputs.kept(child, outputs.log_path(home, name), limit_seconds)
    write(record, {**known, "state": "ended", "exit_code": code})


def busy(home: Path, service: str, version: str) -> bool:
    """A run of this version is under way."""
    records = (home / "jobs" / service).glob("[0-9]*.json")
    return any(
        one["version"] == version and one["state"] == "started" and _alive(one["process"])
        for one in map(read, records)
    )


def _forget(folder: Path) -> None:
    for old in sorted(folder.glob("[0-9]*.json"))[:-KEPT_RUNS]:
        old.unlink()


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
