"""The verbs: what a host can be asked to do, one function each."""

from __future__ import annotations

import fcntl
import json
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from . import forward, jobs, outages, outputs, pieces, processes, runtimes, traffic
from .files import Overdue, Refusal, fence, locked, port_of, read, seen_epoch, write
from .pages import request
from .units import (
    role_of,
    role_path,
    script_path,
    set_role,
    unit_path,
    units,
    web_services,
    weights_of,
)

PIPE_SIZE, PIPE_BYTES = 1031, 1 << 20
"""F_SETPIPE_SZ of Linux, which fcntl names from Python 3.10 on."""

WORKER_PAGES = {"working": "/resume", "standby": "/drain"}
FOLDERS = ("units", "programs", "artifacts", "pieces", "proxy", "logs", "jobs")


def prepare(home: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """Supervisord and the proxy run; asked again, nothing changes."""
    from .facts import resolved  # late, as a host is prepared once

    tools = resolved(asked["tools"])
    absent = sorted(name for name in ("python", "supervisord", tools["proxy"]) if not tools[name])
    if absent:
        raise Refusal("refused", f"not on this host: {', '.join(absent)}")
    for folder in FOLDERS:
        (home / folder).mkdir(parents=True, exist_ok=True)
    write(home / "tools.json", tools)
    processes.begin(home, tools)
    traffic.proxy(home).begin(home, tools)
    return observe(home, asked)


def shutdown(home: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """Every unit, the proxy and supervisord end; what is on disk stays."""
    for name, unit in units(home).items():
        if unit["runtime"] == "docker":
            runtimes.end(home, name)
    processes.end(home, asked["limit_seconds"])
    return {}


def lacks(home: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """Which pieces of an artifact or image are not here, each with the offset to go on at."""
    listing = pieces.checked(asked["listing"], asked["digest"])
    if asked["image"]:
        wanted = runtimes.images().lacking(runtimes.socket(home), asked["image"], listing)
        return {"here": not wanted, "missing": pieces.missing(home, wanted)}
    if pieces.holds(home, listing, asked["digest"]):
        return {"here": True, "missing": {}}
    missing = pieces.missing(home, listing["files"])
    if not missing:
        with locked(home):
            pieces.compose(home, listing, asked["digest"])
    return {"here": not missing, "missing": missing}


def receive(home: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """The pieces that follow on the stream, then the whole: an artifact's folder or an image."""
    received = pieces.take(home, asked["coming"], asked["stream"])
    listing = pieces.checked(asked["listing"], asked["digest"])
    with locked(home):
        fence(home, asked["epoch"])
        if asked["image"]:
            runtimes.images().load(runtimes.socket(home), home / "pieces", asked["image"], listing)
            runtimes.images().pin(runtimes.socket(home), runtimes.owner(home), asked["image"])
        else:
            pieces.compose(home, listing, asked["digest"])
    return {"received_bytes": received}


def pull(home: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """The image by its digest from a registry, unless the engine has it."""
    engine = runtimes.socket(home)
    if not runtimes.images().has(engine, asked["image"]):
        pulled = runtimes.images().pull(engine, asked["reference"], asked["auth"])
        if pulled != asked["image"]:
            raise Refusal("refused", f"pulled {pulled[:19]}, expected {asked['image'][:19]}")
    runtimes.images().pin(engine, runtimes.owner(home), asked["image"])
    return {}


def start(home: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """The unit runs beside the others; a web service's gets no traffic by this."""
    unit = asked["unit"]
    name = f"{unit['service']}@{unit['version']}"
    if not runtimes.holds(home, unit):
        raise Refusal("refused", f"{unit['digest'][:19]} of {name} is not on this host")
    if not role_path(home, name).exists():
        set_role(home, name, asked["role"])
    known = read(unit_path(home, name))
    write(unit_path(home, name), {**unit, "port": port_of(home, name)})
    try:
        if unit["kind"] == "web" and not known:
            traffic.publish(home, unit["service"])
        if unit["kind"] != "job":
            runtimes.start(home, name)
    except Refusal:
        if not known:
            _forget(home, name)
        raise
    return {"port": port_of(home, name)}


def _forget(home: Path, name: str) -> None:
    unit_path(home, name).unlink()
    for place in (role_path(home, name), script_path(home, name)):
        with suppress(FileNotFoundError):
            place.unlink()


def role(home: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """A worker works or stands by, also after a restart; answers the worker's own state.

    A job has its service's schedule while it works.
    """
    name, wanted = asked["unit"], asked["role"]
    unit = read(unit_path(home, name))
    if unit is None:
        raise Refusal("refused", f"there is no {name} on this host")
    set_role(home, name, wanted)
    if unit["kind"] == "job":
        return jobs.hand_over(home, unit["service"], unit["version"], wanted)
    status, body = request(unit["port"], "POST", WORKER_PAGES[wanted], {})
    if status != 200:
        raise Refusal("failed", f"{name} did not become {wanted}: {status} {body[:300]}")
    return _object(body)


def ask(home: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """A unit's own answer to GET, as JSON."""
    status, body = request(port_of(home, asked["unit"]), "GET", asked["path"], {})
    if status != 200:
        raise Refusal("failed", f"{asked['unit']} answered {status} on {asked['path']}")
    return _object(body)


def retire(home: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """The unit ends, by its own signal and in its own time; one with traffic is refused."""
    name = asked["unit"]
    unit = read(unit_path(home, name))
    if unit is None:
        return {"retired": False}
    if weights_of(home, unit["service"]).get(unit["version"], 0):
        raise Refusal("refused", f"{name} still has weight: take its traffic first")
    if unit["kind"] == "job" and jobs.busy(home, unit["service"], unit["version"]):
        return {"retired": False}
    if unit["kind"] != "job":
        runtimes.end(home, name)
    _forget(home, name)
    if unit["kind"] == "web":
        traffic.proxy(home).publish(home)
    return {"retired": True}


def prune(home: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """What no unit uses goes; N−1 is a unit until it is retired."""
    used = runtimes.images_in_use(home)
    if used:
        runtimes.images().prune(runtimes.socket(home), runtimes.owner(home), used)
    outputs.forget(home)
    return {"pruned": pieces.prune(home, {unit["digest"] for unit in units(home).values()})}


def observe(home: Path, asked: dict[str, Any]) -> dict[str, Any]:
    found = {
        name: {
            **{k: unit[k] for k in ("service", "version", "digest", "kind", "port")},
            "state": runtimes.state_of(home, name) if unit["kind"] != "job" else "SCHEDULED",
            "role": role_of(home, name),
            "weight": weights_of(home, unit["service"]).get(unit["version"], 0),
        }
        for name, unit in units(home).items()
    }
    ports = {service: traffic.listener(home, service) for service in web_services(home)}
    return {"units": found, "listeners": ports, "epoch": seen_epoch(home)}


def facts(home: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """What this host is; see ``facts.py``."""
    from .facts import facts as found  # late, as it is seldom asked

    return found(home, asked)


def _object(body: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(body)
    return told


Verb = Callable[[Path, dict[str, Any]], dict[str, Any]]
CHANGING: dict[str, Verb] = {
    verb.__name__: verb for verb in (start, traffic.route, role, retire, prune, pull, outages.kill)
}
"""Under the lock and the fence."""

STREAMING: dict[str, Verb] = {"receive": receive}
"""Take what follows the request on the stream, and fence when all of it is here."""

READING: dict[str, Verb] = {
    verb.__name__: verb
    for verb in (
        prepare, shutdown, lacks, runtimes.health, traffic.smoke, traffic.counts, traffic.drain,
        ask, observe, jobs.run, jobs.run_state, facts, forward.forward,
        outputs.outputs, outputs.output,
    )
}  # fmt: skip


QUIET = ("counts", "observe", "run_state", "facts", "ask", "lacks", "outputs", "output")
"""Asked again and again: noted only when refused."""


def noted(home: Path, asked: dict[str, Any], stream: BinaryIO) -> dict[str, Any]:
    """The answer, and a line of it in the agent's own log; a full disk keeps nobody from it."""
    begun = time.monotonic()
    told = answer(home, asked, stream)
    if "refusal" in told or asked["verb"] not in QUIET:
        with suppress(OSError):
            outputs.note(home, asked, told, time.monotonic() - begun)
    return told


def answer(home: Path, asked: dict[str, Any], stream: BinaryIO) -> dict[str, Any]:
    """One request's answer or refusal, in bounded time."""
    name = asked["verb"]
    try:
        with within(asked["deadline_seconds"], name):
            if name in STREAMING:
                return {"answer": STREAMING[name](home, {**asked, "stream": stream})}
            if name in READING:
                return {"answer": READING[name](home, asked)}
            with locked(home):
                fence(home, asked["epoch"])
                return {"answer": CHANGING[name](home, asked)}
    except Refusal as refusal:
        return {"refusal": refusal.kind, "message": str(refusal)}
    except (OSError, Overdue) as error:
        return {"refusal": "failed", "message": f"{name}: {error}"}


@contextmanager
def within(seconds: float, what: str) -> Iterator[None]:
    """Whatever is inside ends within the time, or is refused as failed."""

    def over(_signal: int, _frame: Any) -> None:
        raise Overdue(f"{what} did not end within {seconds:g} s")

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def serve(home: Path) -> None:
    """Answers requests, a line each, until the caller goes away."""
    with suppress(OSError):  # a larger pipe, where it may be had: pieces come in large blocks
        fcntl.fcntl(sys.stdin, PIPE_SIZE, PIPE_BYTES)
    incoming, outgoing = sys.stdin.buffer, sys.stdout
    while True:
        line = incoming.readline()
        if not line.endswith(b"\n"):
            return
        asked = json.loads(line)
        told = noted(home, asked, incoming)
        outgoing.write(json.dumps(told) + "\n")
        outgoing.flush()
        if asked["verb"] in STREAMING and "refusal" in told:
            return  # what is left on the stream is no request
