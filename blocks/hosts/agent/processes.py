"""Units as processes: supervisord runs them; the agent speaks to it over XML-RPC on loopback."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from .files import ANSWER_SECONDS, LOOPBACK, free_port, read, until, write, write_text
from .launch import script
from .supervisord import Fault, Silent, call
from .units import script_path, unit_path

TAIL_BYTES = 2000
ENDED = ("FATAL", "STOPPED", "EXITED")
GONE = (*ENDED, "ABSENT")


def supervised(home: Path) -> bool:
    try:
        return bool(call(home, "getState")["statename"] == "RUNNING")
    except (Fault, Silent):
        return False


def lives(home: Path) -> bool:
    """Whether its process is there: one that ends answers no more, and still ends its programs."""
    place = home / "supervisord.pid"
    pid = place.read_text().strip() if place.exists() else ""
    command = Path("/proc", pid, "cmdline")
    try:
        return bool(pid) and f"{home}/supervisord.conf".encode() in command.read_bytes()
    except OSError:
        return False


def begin(home: Path, tools: dict[str, str]) -> None:
    """Supervisord runs; asked again, nothing changes. One that is ending is waited for."""
    if supervised(home):
        return
    until("the supervisord before has ended", lambda: not lives(home), ANSWER_SECONDS)
    import subprocess  # late, as it begins once

    known = {"port": free_port(), "password": os.urandom(16).hex()}
    write(home / "supervisor.json", known)
    user = "user=root\n" if os.geteuid() == 0 else ""
    write_text(
        home / "supervisord.conf",
        f"[supervisord]\nnodaemon=true\n{user}logfile={home}/logs/supervisord.log\n"
        f"pidfile={home}/supervisord.pid\nchildlogdir={home}/logs\n"
        f"[inet_http_server]\nport={LOOPBACK}:{known['port']}\n"
        f"username=tradewind\npassword={known['password']}\n"
        "[rpcinterface:supervisor]\n"
        "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n"
        f"[include]\nfiles={home}/programs/*.ini\n",
    )
    with open(home / "logs" / "supervisord.out", "ab") as output:
        command = [tools["supervisord"], "-c", f"{home}/supervisord.conf"]
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    until("supervisord answers", lambda: supervised(home), ANSWER_SECONDS)


def end(home: Path, limit_seconds: float) -> None:
    if supervised(home):
        call(home, "shutdown")
    until("supervisord ends", lambda: not lives(home), limit_seconds)


def program(home: Path, name: str, command: list[str], stop: dict[str, Any]) -> None:
    """Declares a program to supervisord and starts it; what is there stays as it is."""
    text = f"""[program:{name}]
command={" ".join(command)}
directory={home}
autorestart=true
startsecs=1
startretries=4
stopsignal={stop["signal"]}
stopwaitsecs={int(stop["timeout_seconds"])}
killasgroup=true
redirect_stderr=true
stdout_logfile={home}/logs/{name}.log
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=2
"""
    write_text(program_path(home, name), text)
    agree(home)
    if state_of(home, name) in ENDED:
        call(home, "startProcess", name, False)


def program_path(home: Path, name: str) -> Path:
    return home / "programs" / f"{name}.ini"


def withdrawn(home: Path, name: str) -> None:
    """The program ends, by its own signal and in its own time, and is declared no more."""
    if program_path(home, name).exists():
        program_path(home, name).unlink()
        agree(home)


def agree(home: Path) -> None:
    """Makes supervisord run exactly the declared programs."""
    added, changed, removed = call(home, "reloadConfig")[0]
    for name in (*removed, *changed):
        call(home, "stopProcessGroup", name, False)
        _gone(home, name)
        call(home, "removeProcessGroup", name)
    for name in (*added, *changed):
        call(home, "addProcessGroup", name)


def _gone(home: Path, name: str) -> None:
    """Looked for here: supervisord, asked to wait, looks once a second."""
    seconds = stop_seconds(home, name) + ANSWER_SECONDS
    until(f"{name} ends", lambda: state_of(home, name) in GONE, seconds)


def stop_seconds(home: Path, name: str) -> float:
    """How long supervisord lets a unit take before it kills it."""
    return float(
        read(unit_path(home, name), {"stop": {"timeout_seconds": 10}})["stop"]["timeout_seconds"]
    )


def state_of(home: Path, name: str) -> str:
    try:
        return str(call(home, "getProcessInfo", name)["statename"])
    except Fault:
        return "ABSENT"
    except Silent:
        return "UNSUPERVISED"


def tail_of(home: Path, name: str) -> str:
    """The end of a program's output."""
    log = home / "logs" / f"{name}.log"
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - TAIL_BYTES))
        return file.read().decode(errors="replace")


def start(home: Path, name: str) -> None:
    """The unit runs as a program of its own."""
    write_text(script_path(home, name), script(home, name))
    stop = read(unit_path(home, name))["stop"]
    program(home, name, ["/bin/sh", str(script_path(home, name))], stop)
