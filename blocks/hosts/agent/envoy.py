"""Envoy by watched files: listeners, clusters and weights replaced by rename, never a reload."""

from __future__ import annotations

import json
import subprocess
import urllib.parse
from pathlib import Path
from typing import Any

from .files import ANSWER_SECONDS, Refusal, listens, port_of, read, until, write
from .pages import request
from .processes import program
from .resources import (
    CLUSTER,
    LISTENER,
    ROUTES,
    bootstrap,
    clusters,
    listener,
    resources,
    routes,
    watched_routes,
)
from .units import web_services


def begin(home: Path, tools: dict[str, str]) -> None:
    """The proxy runs; asked again, nothing changes."""
    publish(home)
    command = [
        tools["envoy"], "-c", f"{home}/proxy/bootstrap.json", "--disable-hot-restart",
        "--concurrency", "1", "--file-flush-interval-msec", "200", "--log-level", "warning",
    ]  # fmt: skip
    program(home, "proxy", command, {"signal": "TERM", "timeout_seconds": 10})
    until("the proxy answers", lambda: admin(home, "/ready")[0] == 200, ANSWER_SECONDS)


def active(home: Path, name: str) -> int:
    """Requests in flight on a unit; at least 1 while the proxy does not say."""
    stat = urllib.parse.quote(f"cluster.{name}.upstream_rq_active")
    status, body = admin(home, f"/stats?filter=^{stat}$&format=json")
    if status != 200:
        return 1
    return int(sum(one["value"] for one in json.loads(body)["stats"] if one))


def admin(home: Path, path: str) -> tuple[int, str]:
    return request(port_of(home, "admin"), "GET", path, {})


def publish(home: Path) -> None:
    """The files become what units and weights ask for; bad ones are refused and replace nothing."""
    wanted = files(home)
    changed = {name: text for name, text in wanted.items() if _held(home, name) != text}
    if changed:
        check(home)
    for name, content in changed.items():
        write(home / "proxy" / name, content)


def files(home: Path) -> dict[str, Any]:
    """The whole of the proxy's configuration, clusters before the routes that lead to them."""
    services = web_services(home)
    listeners = [listener(home, service, watched_routes(home, service)) for service in services]
    routing = {f"rds-{one}.json": resources(ROUTES, [routes(home, one)]) for one in services}
    return {
        "bootstrap.json": bootstrap(home),
        "cds.json": resources(CLUSTER, clusters(home)),
        **routing,
        "lds.json": resources(LISTENER, listeners),
    }


def _held(home: Path, name: str) -> Any:
    return read(home / "proxy" / name)


def check(home: Path) -> None:
    """Refuses what Envoy itself calls bad: everything in one file, which it only reads."""
    listeners = [
        listener(home, service, {"route_config": routes(home, service)})
        for service in web_services(home)
    ]
    whole = {"static_resources": {"listeners": listeners, "clusters": clusters(home)}}
    fresh = home / "proxy" / "whole.json"
    write(fresh, {**bootstrap(home), **whole, "dynamic_resources": {}})
    command = [read(home / "tools.json")["envoy"], "--mode", "validate", "-c", str(fresh)]
    try:
        ran = subprocess.run(
            command, capture_output=True, text=True, timeout=ANSWER_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Refusal("failed", f"envoy did not check its configuration: {error}") from error
    finally:
        fresh.unlink()
    if ran.returncode:
        raise Refusal("refused", f"envoy calls it bad: {ran.stderr.strip()[-600:]}")


def applied(home: Path, service: str) -> bool:
    """The running proxy serves by exactly the units and weights on disk."""
    status, body = admin(home, "/stats?type=TextReadouts&filter=version_text$&format=json")
    if status != 200:
        return False
    running = {one["name"]: one["value"] for one in json.loads(body)["stats"] if one}
    asked = {
        "cluster_manager.cds.version_text": "cds.json",
        f"http.{service}.rds.{service}.version_text": f"rds-{service}.json",
        "listener_manager.lds.version_text": "lds.json",
    }
    wanted = {stat: _held(home, name) for stat, name in asked.items()}
    told = all(held and running.get(stat) == held["version_info"] for stat, held in wanted.items())
    return told and listens(port_of(home, f"listener-{service}"))
