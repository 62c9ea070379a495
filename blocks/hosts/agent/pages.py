"""One HTTP request on loopback: health pages, smoke tests, what a worker says, a proxy's admin."""

from __future__ import annotations

import http.client

from .files import ANSWER_SECONDS, LOOPBACK


def request(port: int, method: str, path: str, headers: dict[str, str]) -> tuple[int, str]:
    """Status and body of one request on loopback; status 0 when nobody answers."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=ANSWER_SECONDS)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        return 0, str(error)
    finally:
        connection.close()
