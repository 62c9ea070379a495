"""HTTP on loopback, a connection for each request: health pages, smoke tests, who runs beside us.

``http.client`` alone would be a third of the time in which an agent starts.
"""

from __future__ import annotations

import socket
from typing import BinaryIO

from .files import ANSWER_SECONDS, LOOPBACK

LINE_BYTES, MOST_HEADERS = 1 << 16, 200


def request(
    port: int, method: str, path: str, headers: dict[str, str], body: bytes = b""
) -> tuple[int, str]:
    """Status and body of one request; status 0, and why, when there is no complete answer."""
    try:
        head = _head(port, method, path, headers, len(body))
        with socket.socket() as opened:
            opened.settimeout(ANSWER_SECONDS)
            opened.connect((LOOPBACK, port))
            opened.sendall(head + body)
            with opened.makefile("rb") as stream:
                status, content = _answer(stream)
    except (OSError, ValueError) as error:
        return 0, str(error)
    return status, content.decode(errors="replace")


def _head(port: int, method: str, path: str, headers: dict[str, str], size: int) -> bytes:
    if not path.isprintable() or not path.isascii() or " " in path:
        raise ValueError(f"the path {path!r} is not one of a URL")
    named = {"Host": f"{LOOPBACK}:{port}", "Connection": "close", **headers}
    if size or method != "GET":
        named["Content-Length"] = str(size)
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in named.items())]
    return "\r\n".join((*lines, "", "")).encode()


def _answer(stream: BinaryIO) -> tuple[int, bytes]:
    status, headers = _begin(stream)
    while 100 <= status < 200:
        status, headers = _begin(stream)
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return status, b"".join(_chunks(stream))
    if "content-length" in headers:
        return status, _exactly(stream, int(headers["content-length"]))
    return status, b"" if status in (204, 304) else stream.read()


def _begin(stream: BinaryIO) -> tuple[int, dict[str, str]]:
    line = _line(stream)
    words = line.split(None, 2)
    if len(words) < 2 or not words[0].startswith("HTTP/1.") or not words[1].isdigit():
        raise ValueError(f"{line[:80]!r} is no answer of HTTP")
    headers: dict[str, str] = {}
    for _ in range(MOST_HEADERS):
        name, _, value = _line(stream).partition(":")
        if not name:
            return int(words[1]), headers
        headers[name.strip().lower()] = value.strip()
    raise ValueError(f"over {MOST_HEADERS} headers")


def _chunks(stream: BinaryIO) -> list[bytes]:
    found = []
    while size := int(_line(stream).partition(";")[0], 16):
        found.append(_exactly(stream, size))
        _line(stream)
    return found


def _exactly(stream: BinaryIO, size: int) -> bytes:
    content = stream.read(size)
    if len(content) < size:
        raise ValueError(f"the answer ended after {len(content)} of {size} bytes")
    return content


def _line(stream: BinaryIO) -> str:
    line = stream.readline(LINE_BYTES)
    if not line.endswith(b"\n"):
        raise ValueError("the answer ended before its body, or a line of it is too long")
    return line.rstrip(b"\r\n").decode("latin-1")
