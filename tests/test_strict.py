"""The bench's client forgives nothing and counts everything once."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from tests.bench.strict import Load

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]
RATE, COUNT = 200, 40


def report_of(serve: Serve) -> dict[str, Any]:
    """What the client says of a server on which it spent 40 requests."""

    async def run() -> dict[str, Any]:
        over = asyncio.Event()
        over.set()
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            load = Load(server.sockets[0].getsockname()[1], RATE)
            return await load.run(COUNT, over)

    return asyncio.run(run())


async def asked(reader: asyncio.StreamReader) -> bytes:
    """The body of one request, b"" when the client is gone."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""
    length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    return await reader.readexactly(int(length))


def answer(body: bytes, more: bytes = b"", status: bytes = b"200 OK") -> bytes:
    length = b"Content-Length: %d\r\n" % len(body)
    return b"HTTP/1.1 " + status + b"\r\n" + length + more + b"\r\n" + body


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while body := await asked(reader):
        writer.write(answer(body))
    writer.close()


def test_answers_on_kept_connections_are_counted_once() -> None:
    told = report_of(echo)

    assert (told["sent"], told["failed"], told["outcomes"]) == (COUNT, 0, {"ok": COUNT})
    assert told["opened"] < COUNT


def test_a_connection_that_ends_before_the_answer_is_a_failure() -> None:
    async def close_the_second(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(await asked(reader)))
        await asked(reader)
        writer.close()

    told = report_of(close_the_second)

    assert told["failed"] == told["outcomes"]["dropped"] > 0
    assert told["outcomes"]["ok"] + told["failed"] == COUNT


def test_a_connection_closed_with_its_answer_is_no_failure() -> None:
    async def say_goodbye(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(await asked(reader), b"Connection: close\r\n"))
        writer.close()

    told = report_of(say_goodbye)

    assert (told["failed"], told["opened"]) == (0, COUNT)


def test_an_answer_to_another_request_is_a_failure() -> None:
    async def mix_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await asked(reader):
            writer.write(answer(b'{"number": 1}'))

    assert report_of(mix_up)["outcomes"] == {"ok": 1, "status 200": COUNT - 1}


def test_an_error_of_the_proxy_is_a_failure() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while body := await asked(reader):
            writer.write(answer(body, status=b"503 Service Unavailable"))

    assert report_of(refuse)["outcomes"] == {"status 503": COUNT}
