"""One request to one version of a service, through the proxy, for tests that run elsewhere."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from .files import ANSWER_SECONDS, LOOPBACK
from .traffic import listener

VERSION_HEADER = "x-tradewind-version"
MOST_ANSWER_BYTES = 8 << 20


def forward(home: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """Its complete answer, headers in order and bodies as base64; ``broken`` when there is none."""
    from http.client import HTTPConnection, HTTPException  # late: it takes long to load

    connection = HTTPConnection(LOOPBACK, listener(home, asked["service"]), timeout=ANSWER_SECONDS)
    try:
        _send(connection, asked)
        answer = connection.getresponse()
        body = answer.read(MOST_ANSWER_BYTES + 1)
    except (OSError, HTTPException, ValueError) as error:
        return {"broken": f"{type(error).__name__}: {error}"}
    finally:
        connection.close()
    if len(body) > MOST_ANSWER_BYTES:
        return {"broken": f"the answer has over {MOST_ANSWER_BYTES >> 20} MB"}
    headers = [list(one) for one in answer.getheaders()]
    return {"status": answer.status, "headers": headers, "body": base64.b64encode(body).decode()}


def _send(connection: Any, asked: dict[str, Any]) -> None:
    """The caller's own headers, but for the one by which the proxy knows the version."""
    body = base64.b64decode(asked["body"])
    connection.putrequest(asked["method"], asked["path"], True, True)
    for name, value in asked["headers"]:
        if name.lower() not in (VERSION_HEADER, "content-length", "connection"):
            connection.putheader(name, value)
    connection.putheader(VERSION_HEADER, asked["version"])
    connection.putheader("Connection", "close")
    if body or asked["method"] not in ("GET", "HEAD"):
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body or None)
