"""The agent's own HTTP and XML-RPC, against the standard library's servers and broken answers."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import create_server
from typing import Any
from xmlrpc.client import Fault as StandardFault
from xmlrpc.client import dumps, loads

import pytest

from blocks.hosts.agent import supervisord
from blocks.hosts.agent.files import LOOPBACK, free_port, write
from blocks.hosts.agent.pages import request


class Echo(BaseHTTPRequestHandler):
    """Answers with what it was asked."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        content = f"{self.path} {self.headers['X-Asked']} {body.decode()}".encode()
        self.send_response(201)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Nothing to say."""


def test_what_is_asked_arrives_and_what_is_answered_comes_back() -> None:
    with ThreadingHTTPServer((LOOPBACK, 0), Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        told = request(server.server_port, "POST", "/a?b=1", {"X-Asked": "c"}, "dé".encode())
        server.shutdown()

    assert told == (201, "/a?b=1 c dé")


@contextmanager
def answering(content: bytes) -> Iterator[int]:
    """A server that says just this, whatever it is asked, and closes."""
    with create_server((LOOPBACK, 0)) as server:

        def once() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1 << 16)
                connection.sendall(content)

        thread = threading.Thread(target=once, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        thread.join(10)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"HTTP/1.0 200 OK\r\n\r\nto the end", (200, "to the end")),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\nnomore", (503, "no")),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length:1\r\n\r\na", (200, "a")),
        (b"HTTP/1.1 204 No Content\r\n\r\n", (204, "")),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789"
            b"\r\n0\r\n\r\n",
            (200, "abc0123456789"),
        ),
    ],
)
def test_bodies_of_every_kind_are_read_to_their_end(content: bytes, told: tuple[int, str]) -> None:
    with answering(content) as port:
        assert request(port, "GET", "/", {}) == told


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the answer ended before its body"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "is no answer of HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", "ended after 3 of 9 bytes"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", "ended after 2 of 5"),
        (b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 300 + b"\r\n", "over 200 headers"),
    ],
)
def test_an_incomplete_answer_is_none(content: bytes, reason: str) -> None:
    with answering(content) as port:
        status, why = request(port, "GET", "/", {})
    assert status == 0
    assert reason in why


def test_nobody_there_and_a_path_that_is_none() -> None:
    assert request(free_port(), "GET", "/", {})[0] == 0
    assert "is not one of a URL" in request(1, "GET", "/a b\r\nX: y", {})[1]


TOLD: dict[str, Any] = {
    "statename": "RUNNING",
    "pid": 17,
    "ready": True,
    "groups": [["a<&>", ""], [], ["ü"]],
}


def test_xml_rpc_is_the_same_as_the_standard_library_s() -> None:
    asked = supervisord.asked("stopProcessGroup", ("a<&>b", False))
    assert loads(asked.decode()) == (("a<&>b", False), "supervisor.stopProcessGroup")
    assert supervisord.told(dumps((TOLD,), methodresponse=True)) == TOLD


def test_a_fault_and_an_answer_that_is_none() -> None:
    with pytest.raises(supervisord.Fault, match="BAD_NAME: x"):
        supervisord.told(dumps(StandardFault(10, "BAD_NAME: x"), methodresponse=True))
    for broken in ("", "<a>", "<methodResponse><params/></methodResponse>"):
        with pytest.raises(supervisord.Silent, match="no XML-RPC"):
            supervisord.told(broken)


def test_a_supervisord_that_is_away_is_silent(tmp_path: Path) -> None:
    write(tmp_path / "supervisor.json", {"port": free_port(), "password": "x"})
    with pytest.raises(supervisord.Silent, match="getState"):
        supervisord.call(tmp_path, "getState")
