"""``python -m tests.bench.strict``: a steady load of POSTs by a client that forgives nothing.

Requests leave when they are due, whatever became of those before; connections are kept alive; no
request is ever sent twice, and each is counted once, by how it ended: *ok* is 200 with its own
number in the answer, *dropped* a connection that ended first, *silent* no answer in time, anything
else its status. Times count from when a request was due, so that waiting is not hidden.
"""

import argparse
import asyncio
import json
import signal
import sys
import time
from collections import Counter, deque
from dataclasses import dataclass, field

ANSWER_SECONDS = 20.0
MOST_CONNECTIONS = 256
SHARES = {"p50_ms": 0.5, "p99_ms": 0.99, "max_ms": 1.0}


@dataclass
class Diary:
    """How every request ended, how long it took (ms), and what became of connections."""

    sent: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    took_ms: list[float] = field(default_factory=list)
    opened: int = 0
    closed_idle: int = 0

    def write(self, outcome: str, due: float) -> None:
        self.outcomes[outcome] += 1
        self.took_ms.append(1000 * (time.monotonic() - due))

    def report(self, seconds: float) -> dict[str, object]:
        taken = sorted(self.took_ms) or [0.0]
        times = {name: taken[int(share * (len(taken) - 1))] for name, share in SHARES.items()}
        failed = sum(self.outcomes.values()) - self.outcomes["ok"]
        return {
            "sent": self.sent, "failed": failed, "outcomes": dict(self.outcomes),
            "rate": round(self.sent / seconds, 1), "opened": self.opened,
            "closed_idle": self.closed_idle,
            **{name: round(value, 1) for name, value in times.items()},
        }  # fmt: skip


class Connection(asyncio.Protocol):
    """One request at a time on one kept connection."""

    def __init__(self, diary: Diary, idle: "deque[Connection]", ended: asyncio.Event) -> None:
        self._diary, self._idle, self._ended = diary, idle, ended
        self._received = b""
        self._number, self._due = -1, 0.0
        self._limit: asyncio.TimerHandle | None = None
        self._ended_by_us = False
        self.lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # it is TCP
        self._transport = transport
        self._diary.opened += 1

    def send(self, number: int, due: float) -> None:
        self._number, self._due, self._received = number, due, b""
        loop = asyncio.get_running_loop()
        self._limit = loop.call_later(ANSWER_SECONDS, self._finish, "silent")
        body = b'{"number": %d}' % number
        head = b"POST /orders HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\n"
        self._transport.write(head + b"Content-Length: %d\r\n\r\n%s" % (len(body), body))

    def data_received(self, received: bytes) -> None:
        self._received += received
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        status, length, closes = parsed(head)
        if len(body) >= length:
            right = status == 200 and body == b'{"number": %d}' % self._number
            self._finish("ok" if right else f"status {status}", closes)

    def connection_lost(self, error: Exception | None) -> None:
        self.lost = True
        if self._number >= 0:
            self._finish("dropped")
        elif not self._ended_by_us:
            self._diary.closed_idle += 1

    def _finish(self, outcome: str, closes: bool = False) -> None:
        if self._limit:
            self._limit.cancel()
        self._diary.write(outcome, self._due)
        self._number = -1
        if outcome == "ok" and not closes:
            self._idle.append(self)
        else:
            self._ended_by_us = True
            self._transport.close()
        self._ended.set()


def parsed(head: bytes) -> tuple[int, int, bool]:
    """Status, length of the body in bytes, and whether the connection ends with it."""
    lines = head.lower().split(b"\r\n")
    fields = dict(line.split(b": ", 1) for line in lines[1:] if b": " in line)
    length = int(fields.get(b"content-length", b"0"))
    return int(lines[0].split()[1]), length, fields.get(b"connection") == b"close"


class Load:
    """``rate`` requests a second to a port on loopback."""

    def __init__(self, port: int, rate: float) -> None:
        self.diary = Diary()
        self._port, self._rate = port, rate
        self._idle: deque[Connection] = deque()
        self._ended = asyncio.Event()
        self._sending: set[asyncio.Task[None]] = set()

    async def run(self, at_least: int, over: asyncio.Event) -> dict[str, object]:
        """Until ``over``, but not before ``at_least`` were sent."""
        begun = time.monotonic()
        while self.diary.sent < at_least or not over.is_set():
            due = begun + self.diary.sent / self._rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            task = asyncio.create_task(self._send(self.diary.sent, due))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
            self.diary.sent += 1
        seconds = time.monotonic() - begun
        await self._answered()
        return self.diary.report(seconds)

    async def _send(self, number: int, due: float) -> None:
        try:
            connection = await self._connection()
        except OSError:
            self.diary.write("no connection", due)
            self._ended.set()
            return
        connection.send(number, due)

    async def _connection(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if not connection.lost:
                return connection
        if len(self._sending) > MOST_CONNECTIONS:
            raise OSError(f"over {MOST_CONNECTIONS} connections wait to be made")
        _, made = await asyncio.get_running_loop().create_connection(
            lambda: Connection(self.diary, self._idle, self._ended), "127.0.0.1", self._port
        )
        return made

    async def _answered(self) -> None:
        """All that was sent has ended, which each does within its limit."""
        while sum(self.diary.outcomes.values()) < self.diary.sent:
            self._ended.clear()
            await self._ended.wait()


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--rate", type=float, default=500)
    parser.add_argument("--at-least", type=int, default=0)
    asked = parser.parse_args()
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    json.dump(await Load(asked.port, asked.rate).run(asked.at_least, over), sys.stdout)


if __name__ == "__main__":
    asyncio.run(main())
