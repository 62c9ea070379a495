"""A host's proxy before real servers of several versions, and strict customers in front of it."""

import http.client
import json
import os
import shutil
import signal
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from blocks.hosts.agent import envoy, haproxy, processes, supervisord
from blocks.hosts.agent.files import port_of, write
from blocks.hosts.agent.units import unit_path, weights_path
from blocks.hosts.bundle import bundle
from deployments.stack.processes import until

VERSION, COOKIE = "x-tradewind-version", "set-cookie"
BUYERS, BUY_SECONDS = 4, 30
BESIDE = Path(sys.executable).parent


@dataclass(frozen=True)
class Answer:
    """What a customer got; ``cookie`` is what has to be sent back."""

    status: int
    body: str
    version: str
    cookie: str


@dataclass(frozen=True)
class Shopfront:
    """A host's folder and its proxy: the module of the agent."""

    home: Path
    proxy: ModuleType

    @contextmanager
    def serving(self, *units: str, sticky: bool = False, **page: Any) -> Iterator[str]:
        """Units of one service with a server behind each; answers the service."""
        servers = [_server(name, page) for name in units]
        for name, server in zip(units, servers, strict=True):
            self.declare(name, server.server_port, sticky)
        self.proxy.publish(self.home)
        service = units[0].partition("@")[0]
        assert until(lambda: self.applied(service), 20)
        try:
            yield service
        finally:
            for name in units:
                unit_path(self.home, name).unlink()
            self.proxy.publish(self.home)
            for server in servers:
                server.shutdown()
                server.server_close()

    def declare(self, name: str, port: int, sticky: bool = False) -> None:
        service, _, version = name.partition("@")
        unit = {"service": service, "version": version, "kind": "web"}
        write(
            unit_path(self.home, name), {**unit, "port": port, "sticky": sticky, "idle_seconds": 0}
        )

    def weigh(self, service: str, weights: Mapping[str, int]) -> None:
        write(weights_path(self.home, service), weights)

    def route(self, service: str, weights: Mapping[str, int]) -> None:
        self.weigh(service, weights)
        self.proxy.publish(self.home)
        assert until(lambda: self.applied(service), 20)

    def applied(self, service: str) -> bool:
        return bool(self.proxy.applied(self.home, service))

    def active(self, name: str) -> int:
        return int(self.proxy.active(self.home, name))

    def port(self, service: str) -> int:
        return port_of(self.home, f"listener-{service}")

    def connection(self, service: str) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port(service), timeout=20)

    def get(
        self, service: str, path: str = "/", headers: Mapping[str, str] | None = None
    ) -> Answer:
        one = self.connection(service)
        one.request("GET", path, headers=dict(headers or {}))
        answer = one.getresponse()
        body, told = answer.read().decode(), answer.headers
        one.close()
        cookie = str(told.get(COOKIE, "")).partition(";")[0]
        return Answer(answer.status, body, str(told.get(VERSION, "")), cookie)

    def answers(self, service: str, count: int) -> Counter[str]:
        return Counter(self.get(service).body for _ in range(count))

    def logged(self, service: str) -> list[dict[str, Any]]:
        log = self.home / "proxy" / f"access-{service}.log"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    def program(self, service: str) -> str:
        return "proxy" if self.proxy is envoy else haproxy.program_of(service)

    def pid(self, service: str) -> int:
        told = supervisord.call(self.home, "getProcessInfo", self.program(service))
        return int(told["pid"])

    def kill(self, service: str) -> None:
        """The proxy dies on the spot and is back; supervisord must have seen it start before."""
        name, before = self.program(service), self.pid(service)
        assert until(lambda: processes.state_of(self.home, name) == "RUNNING", 20)
        os.kill(before, signal.SIGKILL)
        assert until(lambda: self.pid(service) not in (0, before) and self.applied(service), 30)


@contextmanager
def shopfront(home: Path, proxy: ModuleType) -> Iterator[Shopfront]:
    """A supervised host whose proxy runs, in ``home``; all of it ends afterwards."""
    tools = {"python": sys.executable, "envoy": str(BESIDE / "envoy"), "haproxy": ""}
    if proxy is haproxy:
        tools["haproxy"] = installed("haproxy")
    for name in ("proxy", "logs", "units", "programs"):
        (home / name).mkdir(parents=True)
    write(home / "tools.json", tools)
    (home / "agent").write_bytes(bundle().content)
    processes.begin(home, {"supervisord": str(BESIDE / "supervisord")})
    proxy.begin(home, tools)
    yield Shopfront(home, proxy)
    processes.end(home, 30)


def installed(program: str) -> str:
    """Where it is; without it the test is skipped, in CI as root it fails."""
    found = shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin")
    if not found and os.environ.get("CI") and os.geteuid() == 0:
        pytest.fail(f"{program} is not installed")
    return found or pytest.skip(f"{program} is not installed")


class Page(BaseHTTPRequestHandler):
    """Answers its version; ``/slow`` waits for the gate, ``/cut`` gets no answer, ``/sick`` a 500.

    A connection that is idle for ``idle_seconds`` after an answer is closed.
    """

    protocol_version = "HTTP/1.1"
    version = "0"
    idle_seconds = 30.0
    gate = threading.Event()

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/cut":
            self.close_connection = True
            return
        if self.path == "/slow":
            self.gate.wait(20)
        self.send_response(500 if self.path == "/sick" else 200)
        self.send_header("Content-Length", str(len(self.version)))
        self.end_headers()
        self.wfile.write(self.version.encode())
        self.connection.settimeout(self.idle_seconds)

    do_POST = do_GET  # noqa: N815 the standard library's name

    def log_message(self, *_: Any) -> None:
        """Quiet."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, *_: Any) -> None:
        """A customer who left is no reason to write."""


def _server(name: str, page: Mapping[str, Any]) -> Server:
    version = type("Version", (Page,), {"version": name.partition("@")[2], **page})
    made = Server(("127.0.0.1", 0), version)
    threading.Thread(target=made.serve_forever, args=(0.05,), daemon=True).start()
    return made


class Customers:
    """On a connection each, kept alive; they post, and never post again."""

    def __init__(self, front: Shopfront, service: str, pause_seconds: float = 0) -> None:
        self.served = Counter[str]()
        self.failed: list[str] = []
        self._over = threading.Event()
        self._pause = pause_seconds
        self._threads = [
            threading.Thread(target=self._shop, args=(front.connection(service),))
            for _ in range(BUYERS)
        ]

    def __enter__(self) -> "Customers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def buy(self, count: int) -> None:
        """Waits until that many more requests were answered."""
        enough = sum(self.served.values()) + count
        bought = until(
            lambda: sum(self.served.values()) >= enough or bool(self.failed), BUY_SECONDS
        )
        assert bought, f"{self.served} in {BUY_SECONDS} s"

    def _shop(self, shop: http.client.HTTPConnection) -> None:
        shop.connect()
        shop.auto_open = 0  # a connection that the proxy ends is a failure, too
        while not self._over.wait(self._pause):
            try:
                shop.request("POST", "/", b"{}")
                answer = shop.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException) as error:
                self.failed.append(repr(error))
                return
            if answer.status != 200:
                self.failed.append(str(answer.status))
            self.served[str(answer.headers[VERSION])] += 1
