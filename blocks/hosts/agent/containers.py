"""Units as containers: each beside the others, bounded, ended by its own signal in its own time."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from http.client import HTTPResponse
from typing import Any

from .engine import CALL_SECONDS, Call, ask, exchange
from .files import LOOPBACK, Refusal

CONTENT = "org.tradewind.content"
START_SECONDS = 1.0
RETRIES = 4
LOOP_SECONDS = 10.0
"""More than ``RETRIES`` restarts, the last run shorter than this: a crash loop."""

LOG_FILES = 3
TAIL_LINES = 1000
TEMPORARY = "rw,nosuid,nodev,mode=1777,size=64m"


def run(at: str, container: dict[str, Any]) -> None:
    """The container runs; one that does already, with the same content, stays as it is.

    ``container``: name, image, command ([]: the image's own), environment, labels, port (0: none),
    limits, read_only, networks, mounts (``source:target`` or ``source:target:ro``), stop, and
    user or capabilities where it needs any.
    """
    name, body = container["name"], wanted(container)
    found = inspected(at, name)
    if found is None:
        _create(at, name, body, container["networks"])
    elif found["Config"]["Labels"].get(CONTENT) != body["Labels"][CONTENT]:
        raise Refusal("refused", f"{name} is there with other content: it must be retired first")
    try:
        ask(at, Call("POST", f"/containers/{name}/start"), (304,))
    except Refusal:
        if found is None:
            _discard(at, name)
        raise


def _create(at: str, name: str, body: dict[str, Any], networks: list[str]) -> None:
    for network in networks:
        _network(at, network)
    ask(at, Call("POST", "/containers/create", {"name": name}, body))
    try:
        for network in networks[1:]:
            ask(at, Call("POST", f"/networks/{network}/connect", content={"Container": name}))
    except Refusal:
        _discard(at, name)
        raise


def _discard(at: str, name: str) -> None:
    ask(at, Call("DELETE", f"/containers/{name}", {"force": 1, "v": 1}), (404,))


def _network(at: str, name: str) -> None:
    """A network of that name is there."""
    if ask(at, Call("GET", f"/networks/{name}"), (404,)) is None:
        ask(at, Call("POST", "/networks/create", content={"Name": name, "CheckDuplicate": True}))


def wanted(container: dict[str, Any]) -> dict[str, Any]:
    """What the engine is asked to create, marked with the digest of it all."""
    ports = [f"{container['port']}/tcp"] if container["port"] else []
    body = {
        "Image": container["image"],
        "Cmd": list(container["command"]) or None,
        "Env": [f"{name}={value}" for name, value in sorted(container["environment"].items())],
        "ExposedPorts": {port: {} for port in ports},
        "User": container.get("user", ""),
        "StopSignal": f"SIG{container['stop']['signal']}",
        "StopTimeout": math.ceil(container["stop"]["timeout_seconds"]),
        "HostConfig": {
            **bounds(container),
            "PortBindings": {
                port: [{"HostIp": LOOPBACK, "HostPort": str(container["port"])}] for port in ports
            },
            "NetworkMode": container["networks"][0] if container["networks"] else "default",
            "Mounts": [mount(text) for text in container["mounts"]],
            "RestartPolicy": {"Name": "on-failure"},
            "Init": True,
        },
    }
    mark = hashlib.sha256(json.dumps([body, container["networks"]], sort_keys=True).encode())
    return {**body, "Labels": {**container["labels"], CONTENT: mark.hexdigest()}}


def bounds(container: dict[str, Any]) -> dict[str, Any]:
    """What the container may take and do; 0 means no limit."""
    limits = container["limits"]
    memory = int(limits["memory_mb"]) << 20
    return {
        "Memory": memory,
        "MemorySwap": memory,
        "NanoCpus": int(limits["cpus"] * 1_000_000_000),
        "PidsLimit": limits["processes"] or None,
        "LogConfig": {
            "Type": "json-file",
            "Config": {"max-size": f"{limits['log_mb']}m", "max-file": str(LOG_FILES)},
        },
        "ReadonlyRootfs": container["read_only"],
        "Tmpfs": {"/tmp": TEMPORARY} if container["read_only"] else {},  # noqa: S108 the container's
        "SecurityOpt": ["no-new-privileges"],
        "CapDrop": ["ALL"],
        "CapAdd": list(container.get("capabilities", ())),
    }


def mount(text: str) -> dict[str, Any]:
    """
    >>> mount("/srv/pictures:/pictures:ro")["ReadOnly"]
    True
    """
    source, target, *how = text.split(":")
    if how not in ([], ["ro"], ["rw"]):
        raise Refusal("refused", f"mount {text!r} is not SOURCE:TARGET or SOURCE:TARGET:ro")
    return {"Type": "bind", "Source": source, "Target": target, "ReadOnly": how == ["ro"]}


def inspected(at: str, name: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = ask(at, Call("GET", f"/containers/{name}/json"), (404,))
    return found


def state(at: str, name: str) -> str:
    """RUNNING, STARTING, BACKOFF, FATAL (a crash loop), STOPPED or ABSENT: supervisord's words."""
    found = inspected(at, name)
    if found is None:
        return "ABSENT"
    told = found["State"]
    begun = moment(told["StartedAt"])
    if told["Status"] == "running":
        alive = (datetime.now(timezone.utc) - begun).total_seconds()  # noqa: UP017 Python 3.9
        return "RUNNING" if alive >= START_SECONDS else "STARTING"
    if told["Status"] == "restarting":
        lasted = (moment(told["FinishedAt"]) - begun).total_seconds()
        return "FATAL" if found["RestartCount"] > RETRIES and lasted < LOOP_SECONDS else "BACKOFF"
    return "STOPPED"


def moment(text: str) -> datetime:
    """The engine's time, in UTC; it leaves out zeros at the end of the fraction.

    >>> moment("2026-11-24T22:06:03.05Z").microsecond
    50000
    """
    seconds, _, fraction = text.rstrip("Z").partition(".")
    whole = datetime.fromisoformat(seconds).replace(tzinfo=timezone.utc)  # noqa: UP017 Python 3.9
    return whole + timedelta(microseconds=int(fraction[:6].ljust(6, "0")))


def logs(at: str, name: str, most_bytes: int) -> str:
    """The end of the container's output, and why the engine ended it; "" when it is absent."""
    found = inspected(at, name)
    if found is None:
        return ""
    asked = {"stdout": 1, "stderr": 1, "tail": TAIL_LINES}
    tail = b""
    with exchange(at, Call("GET", f"/containers/{name}/logs", asked)) as answer:
        for block in _frames(answer):
            tail = (tail + block)[-most_bytes:]
    limit = found["HostConfig"]["Memory"] >> 20
    killed = f"\nended by its memory limit of {limit} MB" if found["State"]["OOMKilled"] else ""
    return tail.decode(errors="replace") + killed


def lines(at: str, name: str, after: str, most_bytes: int) -> tuple[list[list[str]], bool]:
    """Each with the engine's time, those after ``after`` ("": all), and whether more follow."""
    if inspected(at, name) is None:
        return [], False
    since = {"since": _since(after)} if after else {}
    asked = {"stdout": 1, "stderr": 1, "timestamps": 1, **since}
    found: list[list[str]] = []
    with exchange(at, Call("GET", f"/containers/{name}/logs", asked)) as answer:
        for block in _frames(answer):
            time, _, text = block.decode(errors="replace").partition(" ")
            if time > after:
                found.append([time, text.rstrip("\r\n")])
                most_bytes -= len(block)
            if most_bytes <= 0:
                return found, True
    return found, False


def _since(text: str) -> str:
    """As the engine takes it: seconds since 1970 with nine digits behind the point.

    >>> _since("2026-11-28T11:05:00.000000007Z")
    '1795863900.000000007'
    """
    fraction = text.rstrip("Z").partition(".")[2]
    return f"{int(moment(text).replace(microsecond=0).timestamp())}.{fraction:<09}"


def _frames(answer: HTTPResponse) -> Iterator[bytes]:
    """The engine's frames: four bytes say which output, four say how long the block is."""
    while len(head := answer.read(8)) == 8:
        yield answer.read(int.from_bytes(head[4:], "big"))


def stop(at: str, name: str, limit_seconds: float) -> None:
    """Ended by its own signal, killed after the limit; one that has ended or is absent stays so."""
    seconds = math.ceil(limit_seconds)
    call = Call(
        "POST", f"/containers/{name}/stop", {"t": seconds}, limit_seconds=seconds + CALL_SECONDS
    )
    ask(at, call, (304, 404))


def remove(at: str, name: str) -> None:
    """Gone, with what it wrote outside of mounts; one that still runs is refused."""
    ask(at, Call("DELETE", f"/containers/{name}", {"v": 1}), (404,))
