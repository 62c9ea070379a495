"""The Docker engine, asked over its Unix socket; the agent opens no other way to it."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from .files import Refusal

OLDEST_API = "1.41"
CALL_SECONDS = 60.0
TRANSFER_SECONDS = 600.0
"""The longest silence of the engine while an image comes in."""

BARRED = ("unauthorized", "denied", "no basic auth credentials")
"""A registry's words for credentials that it does not take."""

MOST_ANSWER_BYTES = 16 << 20


class UnixConnection(http.client.HTTPConnection):
    """HTTP to a socket in the file system."""

    def __init__(self, at: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self.at = at

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.at)


@dataclass(frozen=True)
class Call:
    """One request; ``limit_seconds`` bounds each silence of the engine."""

    method: str
    path: str
    query: Mapping[str, Any] = field(default_factory=dict)
    content: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    limit_seconds: float = CALL_SECONDS

    @property
    def target(self) -> str:
        return f"{quote(self.path)}?{urlencode(self.query)}" if self.query else quote(self.path)


def version(at: str) -> dict[str, Any]:
    """What the engine says of itself: ``Version``, ``ApiVersion``, …"""
    told: dict[str, Any] = ask(at, Call("GET", "/version"))
    return told


def spoken(at: str) -> str:
    """The oldest API that both know, as a prefix: engines drop the old ones one day."""
    oldest = str(version(at).get("MinAPIVersion", OLDEST_API))
    return f"/v{max(OLDEST_API, oldest, key=lambda text: [int(part) for part in text.split('.')])}"


def ask(at: str, call: Call, allowed: tuple[int, ...] = ()) -> Any:
    """The engine's answer; None for a status that is ``allowed`` (say 404) or has no content."""
    with exchange(at, call, allowed) as answer:
        content = answer.read(MOST_ANSWER_BYTES)
        return None if answer.status in allowed or not content.strip() else json.loads(content)


def follow(at: str, call: Call) -> Iterator[dict[str, Any]]:
    """Lines of a long answer as they come. A line that is an error is raised as one."""
    with exchange(at, call) as answer:
        for line in answer:
            told = json.loads(line) if line.strip() else {}
            if "error" in told:
                raise refusal(0, str(told["error"]))
            yield told


@contextlib.contextmanager
def exchange(
    at: str, call: Call, allowed: tuple[int, ...] = ()
) -> Iterator[http.client.HTTPResponse]:
    """A request sent, its answer to be read inside.

    Raises Refusal with the engine's own words, failed when it does not answer.
    """
    connection = UnixConnection(at, call.limit_seconds)
    try:
        body, headers = _sent(call)
        connection.request(call.method, call.target, body=body, headers=headers)
        answer = connection.getresponse()
        if answer.status >= 400 and answer.status not in allowed:
            raise refusal(answer.status, _message(answer.read(MOST_ANSWER_BYTES)))
        yield answer
    except (OSError, http.client.HTTPException, ValueError) as error:
        message = f"the engine at {at} does not answer {call.method} {call.path}: {error}"
        raise Refusal("failed", message) from error
    finally:
        connection.close()


def _sent(call: Call) -> tuple[Any, dict[str, str]]:
    """Values as JSON; an iterable of bytes goes as it comes."""
    if isinstance(call.content, (dict, list)):
        kind = {"Content-Type": "application/json"}
        return json.dumps(call.content).encode(), {**kind, **call.headers}
    return call.content, dict(call.headers)


def refusal(status: int, message: str) -> Refusal:
    """Refused when the request or its credentials are wrong, failed in any other case."""
    wrong = 400 <= status < 500 or any(word in message for word in BARRED)
    return Refusal("refused" if wrong else "failed", f"the engine: {message}")


def _message(content: bytes) -> str:
    try:
        return str(json.loads(content)["message"])
    except (ValueError, KeyError, TypeError):
        return content[:500].decode(errors="replace")
