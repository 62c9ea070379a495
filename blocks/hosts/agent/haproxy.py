"""HAProxy by its runtime socket: a process for each web service, and never a reload.

A service has a fixed number of slots (``slots.py``). Versions are put into them and weighed while
HAProxy runs; the same is written to its files, so that one that crashed comes back as it was.
HOME/proxy/ SERVICE.cfg  SERVICE.map  slots-SERVICE.json  SERVICE.sock (the running one's)
"""

from __future__ import annotations

import csv
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from . import launch, processes, slots
from .files import ANSWER_SECONDS, Refusal, port_of, read, until, write, write_text
from .units import units, web_services, weights_of

STOP = {"signal": "TERM", "timeout_seconds": 10}  # USR1 would write prose into the access log
CHUNK_BYTES = 65536


def begin(home: Path, tools: dict[str, str]) -> None:
    """Every web service's proxy runs; asked again, nothing changes."""
    if not os.access(tools["haproxy"], os.X_OK):
        raise Refusal("refused", f"haproxy is to be {tools['haproxy']!r}: there is no such program")
    publish(home)


def publish(home: Path) -> None:
    """Files and running proxies are made to agree with units and weights.

    A service whose configuration is bad is refused and goes on as it was; the others are served.
    """
    services = web_services(home)
    for service in published(home):
        if service not in services:
            withdraw(home, service)
    refusals = [refusal for service in services for refusal in _refused(home, service)]
    if refusals:
        raise Refusal(refusals[0].kind, "; ".join(str(refusal) for refusal in refusals))


def published(home: Path) -> list[str]:
    return sorted(path.stem for path in (home / "proxy").glob("*.cfg"))


def withdraw(home: Path, service: str) -> None:
    """The proxy of a service without units ends; its access log stays."""
    processes.withdrawn(home, program_of(service))
    for name in (f"{service}.sock", f"{service}.map", f"slots-{service}.json", f"{service}.cfg"):
        with suppress(FileNotFoundError):
            (home / "proxy" / name).unlink()


def _refused(home: Path, service: str) -> Iterator[Refusal]:
    try:
        _publish(home, service)
    except Refusal as refusal:
        yield refusal


def _publish(home: Path, service: str) -> None:
    known = slots.allotted(service, _known(home, service), list(_ports(home, service)))
    _write(home, service, known)
    _run(home, service)
    for command in _differences(home, service):
        ask(home, service, command)
    if not applied(home, service):
        raise Refusal("failed", f"the proxy of {service} did not take {known['slots']}")


def applied(home: Path, service: str) -> bool:
    """The running proxy serves by exactly the units and weights on disk."""
    try:
        every = set(_ports(home, service)) == set(_known(home, service).get("slots", {}).values())
        return every and not list(_differences(home, service))
    except Refusal:
        return False


def active(home: Path, name: str) -> int:
    """Sessions in flight on a unit; at least 1 while the proxy does not say."""
    service, _, version = name.partition("@")
    used = {version: slot for slot, version in _known(home, service).get("slots", {}).items()}
    if version not in used:
        return 0
    try:
        text = ask(home, service, f"show stat {service} 4 -1").lstrip("# ")
    except Refusal:
        return 1
    rows = [row for row in csv.DictReader(text.splitlines()) if row["svname"] == used[version]]
    return sum(int(row["scur"]) + int(row["qcur"]) for row in rows)


# --- what it has to be --------------------------------------------------------------------------


def _known(home: Path, service: str) -> dict[str, Any]:
    known: dict[str, Any] = read(home / "proxy" / f"slots-{service}.json", {})
    return known


def _web_units(home: Path, service: str) -> list[dict[str, Any]]:
    return [u for u in units(home).values() if u["service"] == service and u["kind"] == "web"]


def _ports(home: Path, service: str) -> dict[str, int]:
    return {unit["version"]: unit["port"] for unit in _web_units(home, service)}


def _table(home: Path, service: str, known: dict[str, Any]) -> slots.Table:
    weights = weights_of(home, service)
    return slots.table(known.get("slots", {}), _ports(home, service), weights)


def _names(home: Path, service: str, servers: slots.Table) -> dict[str, str]:
    """Sessions stay with their version where any version of the service asks for it."""
    sticky = any(unit["sticky"] for unit in _web_units(home, service))
    return slots.names(service, servers, [s.version for s in servers.values()] if sticky else [])


# --- on disk ------------------------------------------------------------------------------------


def _write(home: Path, service: str, known: dict[str, Any]) -> None:
    """A crash comes back as it was; what HAProxy itself calls bad replaces nothing."""
    servers = _table(home, service, known)
    idle = min((unit["idle_seconds"] for unit in _web_units(home, service)), default=0)
    text = slots.configuration(service, port_of(home, f"listener-{service}"), servers, idle)
    names = slots.map_text(_names(home, service, servers))
    places = tuple(home / "proxy" / f"{service}.{kind}" for kind in ("map", "cfg"))
    if [_text(place) for place in places] == [names, text]:
        return
    if not places[0].exists():
        write_text(places[0], names)
    _check(home, service, text)
    write(home / "proxy" / f"slots-{service}.json", known)
    for place, content in zip(places, (names, text)):  # noqa: B905 Python 3.9 has no strict
        write_text(place, content)


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def _check(home: Path, service: str, text: str) -> None:
    fresh = home / "proxy" / f"{service}.fresh"
    write_text(fresh, text)
    try:
        ran = subprocess.run(
            [read(home / "tools.json")["haproxy"], "-c", "-f", f"proxy/{fresh.name}"],
            cwd=home, capture_output=True, text=True, timeout=ANSWER_SECONDS, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Refusal("failed", f"haproxy did not check what {service} needs: {error}") from error
    finally:
        fresh.unlink()
    if ran.returncode:
        raise Refusal("refused", f"haproxy calls {service} bad: {ran.stderr.strip()[-600:]}")


# --- running ------------------------------------------------------------------------------------


def program_of(service: str) -> str:
    return f"proxy-{service}"


def _run(home: Path, service: str) -> None:
    """The service's proxy runs; one that runs is left alone, however it was begun."""
    name = program_of(service)
    if processes.state_of(home, name) in ("ABSENT", *processes.ENDED):
        log = f"{home}/proxy/access-{service}.log"
        output = [*launch.agent_command(home), "output", log]
        haproxy = [read(home / "tools.json")["haproxy"], "-db", "-f", f"proxy/{service}.cfg"]
        processes.program(home, name, [*output, *haproxy], STOP)
    until(f"the proxy of {service} answers", lambda: _answers(home, service), ANSWER_SECONDS)


def _answers(home: Path, service: str) -> bool:
    name = program_of(service)
    if processes.state_of(home, name) == "FATAL":
        raise Refusal("failed", f"{name} is FATAL: {processes.tail_of(home, name)}")
    try:
        return bool(ask(home, service, "show version"))
    except Refusal:
        return False


def _differences(home: Path, service: str) -> list[str]:
    """The commands that are missing from what runs to what the files say."""
    servers = _table(home, service, _known(home, service))
    seen = slots.served(ask(home, service, f"show servers state {service}"))
    place = slots.map_path(service)
    return list(
        slots.changes(
            service,
            (seen, servers),
            (slots.mapped(ask(home, service, f"show map {place}")), _names(home, service, servers)),
        )
    )


def ask(home: Path, service: str, command: str) -> str:
    """The running proxy's answer to one command; Refusal when it does not answer."""
    try:
        with _connected(home / "proxy", f"{service}.sock") as runtime:
            runtime.sendall(f"{command}\n".encode())
            return b"".join(iter(lambda: runtime.recv(CHUNK_BYTES), b"")).decode()
    except OSError as error:
        raise Refusal("failed", f"the proxy of {service} does not answer: {error}") from error


@contextmanager
def _connected(folder: Path, name: str) -> Iterator[socket.socket]:
    """By the folder's descriptor: a socket's path has 108 bytes at most, and HOME may have more."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with socket.socket(socket.AF_UNIX) as runtime:
            runtime.settimeout(ANSWER_SECONDS)
            runtime.connect(f"/proc/self/fd/{opened}/{name}")
            yield runtime
    finally:
        os.close(opened)
