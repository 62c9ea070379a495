"""Traffic of a host, whichever proxy moves it: weights, what was answered, and draining."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

from .files import ANSWER_SECONDS, Refusal, port_of, read, until, write
from .pages import request
from .units import versions_of, weights_of, weights_path


def proxy(home: Path) -> ModuleType:
    """The one that this host uses, imported late; both have the same functions."""
    if read(home / "tools.json")["proxy"] == "haproxy":
        from . import haproxy

        return haproxy
    from . import envoy

    return envoy


def publish(home: Path, service: str) -> None:
    """The proxy knows the service's units and serves by its weights, and says so."""
    proxy(home).publish(home)
    until(
        f"the proxy has the weights of {service}",
        lambda: bool(proxy(home).applied(home, service)),
        ANSWER_SECONDS,
    )


def route(home: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """Exactly these weights, in percent by version; refused ones change nothing."""
    service, weights = asked["service"], asked["weights"]
    known = versions_of(home, service)
    if sum(weights.values()) != 100 or not set(weights) <= set(known):
        raise Refusal("refused", f"weights of {service} are {weights}: 100 in all, of {known}")
    before = weights_of(home, service)
    write(weights_path(home, service), weights)
    try:
        publish(home, service)
    except Refusal:
        write(weights_path(home, service), before)
        raise
    return {"weights": weights, "cursor": cursor_of(home, service)}


def listener(home: Path, service: str) -> int:
    return port_of(home, f"listener-{service}")


def smoke(home: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """Status of each page of one version, asked for through the proxy."""
    header = {"x-tradewind-version": asked["version"]}
    port = listener(home, asked["service"])
    return {path: request(port, "GET", path, header)[0] for path in asked["paths"]}


def log_path(home: Path, service: str) -> Path:
    return home / "proxy" / f"access-{service}.log"


def cursor_of(home: Path, service: str) -> int:
    """Bytes of the access log: a look that begins here sees what comes from now on."""
    path = log_path(home, service)
    return path.stat().st_size if path.exists() else 0


def counts(home: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """Requests per version since a cursor (bytes of the access log), and the cursor after them."""
    path = log_path(home, asked["service"])
    if not path.exists():
        return {"cursor": 0, "arms": {}}
    with path.open("rb") as file:
        file.seek(asked["cursor"])
        text = file.read()
    complete = text[: text.rfind(b"\n") + 1]
    arms: dict[str, dict[str, Any]] = {}
    failed_sessions: set[str] = set()
    for line in complete.splitlines():
        count(json.loads(line), arms, failed_sessions, asked["slow_ms"])
    for arm in arms.values():
        taken = sorted(arm.pop("ms"))
        arm["p95_ms"] = taken[min(len(taken) - 1, int(0.95 * len(taken)))]
    return {"cursor": asked["cursor"] + len(complete), "arms": arms}


def count(
    line: dict[str, Any], arms: dict[str, dict[str, Any]], failed: set[str], slow_ms: float
) -> None:
    """An error counts once per session: one unlucky client is not a trend."""
    version = str(line["cluster"] or "").partition("@")[2] or "none"
    empty = {"requests": 0, "errors": 0, "first_errors": 0, "slow": 0, "ms": []}
    arm = arms.setdefault(version, empty)
    code, session = int(line["code"] or 0), str(line["session"] or "")
    arm["requests"] += 1
    arm["ms"].append(int(line["ms"] or 0))
    arm["slow"] += int(line["ms"] or 0) > slow_ms
    if code == 0 or code >= 500:
        arm["errors"] += 1
        arm["first_errors"] += not session or session not in failed
        failed.add(session)


def drain(home: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """Waits until a version has nothing in flight; it must have no weight by then."""
    name = f"{asked['service']}@{asked['version']}"
    if weights_of(home, asked["service"]).get(asked["version"], 0):
        raise Refusal("refused", f"{name} still has weight: take its traffic first")
    until(f"{name} is drained", lambda: not proxy(home).active(home, name), asked["limit_seconds"])
    return {"active": 0}
