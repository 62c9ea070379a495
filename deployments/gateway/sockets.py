"""Events and logs as they happen: WebSockets of Prefect's, for those who are signed in."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from deployments.gateway.gate import Gate
from deployments.gateway.identity import gate_of, signed_or_nobody

LOOK_AGAIN_SECONDS = 15.0
OPEN_SECONDS = 10.0
MOST_BYTES = 16 * 1024 * 1024
PREFECT = Subprotocol("prefect")
NOT_ALLOWED, GOING_AWAY = 1008, 1001

router = APIRouter()


@router.websocket("/api/events/out")
@router.websocket("/api/logs/out")
async def stream(socket: WebSocket) -> None:
    """Both ways, for as long as the session lasts; Prefect's own words are not looked into."""
    if not await _may_view(socket):
        await socket.close(NOT_ALLOWED, "sign in first")
        return
    offered = [PREFECT] if "prefect" in socket.scope.get("subprotocols", ()) else None
    gate = gate_of(socket)
    try:
        address = f"{gate.prefect.url.replace('http', 'ws', 1)}{socket.url.path}"
        async with connect(
            address, subprotocols=offered, open_timeout=OPEN_SECONDS, max_size=MOST_BYTES,
            proxy=None,
        ) as upstream:  # fmt: skip
            await socket.accept("prefect" if offered else None)
            await _both_ways(gate, socket, upstream)
    except (OSError, WebSocketException):
        with suppress(RuntimeError):  # the browser was faster
            await socket.close(GOING_AWAY, "Prefect does not answer")


@router.websocket("/{path:path}")
async def refuse(socket: WebSocket) -> None:
    """Nothing else is a stream; above all nobody sends events in."""
    await socket.close(NOT_ALLOWED, "this does not pass the gateway")


async def _both_ways(gate: Gate, socket: WebSocket, upstream: ClientConnection) -> None:
    """Until one side or the session ends; then both sides are closed."""
    tasks = [
        asyncio.create_task(_up(gate, socket, upstream)),
        asyncio.create_task(_down(socket, upstream)),
        asyncio.create_task(_session_ends(socket)),
    ]
    done, left = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for one in left:
        one.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    with suppress(RuntimeError, WebSocketDisconnect):
        ended = tasks[2] in done
        await socket.close(NOT_ALLOWED if ended else GOING_AWAY, "signed out" if ended else "")


async def _up(gate: Gate, socket: WebSocket, upstream: ClientConnection) -> None:
    async for text in _said(socket):
        await upstream.send(_own_auth(gate, text))


async def _said(socket: WebSocket) -> AsyncIterator[str]:
    with suppress(WebSocketDisconnect, KeyError):
        while True:
            yield await socket.receive_text()


async def _down(socket: WebSocket, upstream: ClientConnection) -> None:
    async for message in upstream:
        await socket.send_text(message if isinstance(message, str) else message.decode())


async def _session_ends(socket: WebSocket) -> None:
    while await _may_view(socket):
        await asyncio.sleep(LOOK_AGAIN_SECONDS)


async def _may_view(socket: WebSocket) -> bool:
    found = await signed_or_nobody(socket)
    return found is not None and found.may_anywhere("view")


def _own_auth(gate: Gate, text: str) -> str:
    """Prefect's first message carries its shared string: ours goes in, whatever was sent."""
    with suppress(ValueError):
        told = json.loads(text)
        if isinstance(told, dict) and told.get("type") == "auth":
            return json.dumps({"type": "auth", "token": gate.prefect.auth or None})
    return text
