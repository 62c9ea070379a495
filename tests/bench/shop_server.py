"""A version under load: it writes each order's number down once, and takes its time to answer.

It ends when it is told to, at once: who ends it has to have waited for its last answer.
"""

import asyncio
import os
import random
import signal

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
LEAST_SECONDS, MOST_SECONDS = 0.002, 0.020
ORDERS = os.open(os.environ["ORDERS"], os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)


class Shop(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # it is TCP
        self.transport, self.received = transport, b""

    def data_received(self, received: bytes) -> None:
        self.received += received
        head, found, body = self.received.partition(b"\r\n\r\n")
        length = length_of(head)
        if not found or len(body) < length:
            return
        self.received = body[length:]
        if head.startswith(b"POST"):
            os.write(ORDERS, body[:length] + b"\n")
            delay = random.uniform(LEAST_SECONDS, MOST_SECONDS)
            asyncio.get_running_loop().call_later(delay, self.answer, body[:length])
        else:
            self.answer(b"{}")

    def answer(self, body: bytes) -> None:
        self.transport.write(ANSWER % (len(body), body))


def length_of(head: bytes) -> int:
    """Of the body, in bytes; a GET has none."""
    lines = head.lower().split(b"\r\n")
    return sum(int(line[15:]) for line in lines if line.startswith(b"content-length:"))


async def main() -> None:
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, over.set)
    await loop.create_server(Shop, "127.0.0.1", int(os.environ["PORT"]))
    await over.wait()


asyncio.run(main())
