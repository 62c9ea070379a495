"""A candidate's own address on loopback while it is tried, wherever its host is.

Requests go with the host's agent, as smoke tests do: a key that runs one command forwards no port.
"""

import base64
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Any

from blocks.hosts import Host
from domain.errors import TradewindError

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
READING = ("GET", "HEAD")
MOST_BODY_BYTES = 8 << 20
IDLE_SECONDS = 60.0
OF_ONE_CONNECTION = (
    "connection",
    "content-length",
    "expect",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
)
"""Headers that speak of the connection they came by, not of the message."""


@dataclass
class Relay:
    """``away`` says why the host was not reached, "" when it always was."""

    host: Host
    service: str
    version: str
    methods: tuple[str, ...]
    address: str = ""
    requests: int = 0
    away: str = ""
    turn: threading.Lock = field(default_factory=threading.Lock)

    def passed_on(self, method: str, path: str, headers: Any, body: bytes) -> dict[str, Any]:
        """The candidate's answer; ``broken`` where there is none."""
        request = {
            "method": method,
            "path": path,
            "headers": _of_the_message(headers.items()),
            "body": base64.b64encode(body).decode(),
        }
        with self.turn:
            self.requests += 1
        try:
            return self.host.forward(self.service, self.version, request)
        except TradewindError as error:
            self.away = self.away or str(error)
            return {"broken": str(error)}


@contextmanager
def relayed(host: Host, service: str, version: str, methods: tuple[str, ...]) -> Iterator[Relay]:
    """The candidate answers at ``address``, these methods alone, for as long as the block runs."""
    relay = Relay(host, service, version, methods)
    with _Server(("127.0.0.1", 0), _Page) as server:
        server.relay = relay
        relay.address = f"http://127.0.0.1:{server.server_address[1]}"
        serving = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        serving.start()
        try:
            yield relay
        finally:
            server.shutdown()
            serving.join()


class _Server(ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64
    relay: Relay


class _Page(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True
    server: _Server

    def _any(self) -> None:
        relay, size = self.server.relay, self.headers.get("Content-Length") or "0"
        if "Transfer-Encoding" in self.headers or not size.isdecimal():
            self._refused(411, "a request's length is needed")
        elif int(size) > MOST_BODY_BYTES:
            self._refused(413, f"the request has {size} bytes, at most {MOST_BODY_BYTES} may be")
        else:
            body = self.rfile.read(int(size))
            if self.command not in relay.methods:
                self._answer(405, [("Allow", ", ".join(relay.methods))], b"")
                return
            told = relay.passed_on(self.command, self.path, self.headers, body)
            self._told(told)

    do_GET = do_HEAD = do_OPTIONS = do_POST = do_PUT = do_PATCH = do_DELETE = do_TRACE = _any  # noqa: N815 as http.server finds them

    def _told(self, told: dict[str, Any]) -> None:
        if "broken" in told:
            self._answer(502, [("Content-Type", "text/plain")], str(told["broken"]).encode())
            return
        body = base64.b64decode(told["body"])
        self._answer(told["status"], _of_the_message(told["headers"]), body)

    def _refused(self, status: int, why: str) -> None:
        self.close_connection = True
        self._answer(
            status, [("Content-Type", "text/plain"), ("Connection", "close")], why.encode()
        )

    def _answer(self, status: int, headers: Iterable[Iterable[str]], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        if status >= 200 and status not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *arguments: Any) -> None:
        """The proxy writes down requests."""


def _of_the_message(headers: Iterable[Iterable[str]]) -> list[tuple[str, str]]:
    named = [(name, value) for name, value in headers]
    return [one for one in named if one[0].lower() not in OF_ONE_CONNECTION]
