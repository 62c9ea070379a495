"""Webhooks of the shop's forge: proven, understood, and started by the rules of ``shop.yaml``."""

import json
import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from blocks.forges import Connected, Delivery, Proof, gitea, github, gitlab
from domain.errors import BadInput, Refused, TradewindError, Unavailable
from domain.forge.events import Event, Ignored, parse
from domain.forge.rules import Wish, addressed, confirmed, decide
from domain.forge.settings import Forge

MOST_BYTES = 5 * 1024 * 1024
LOG = logging.getLogger("tradewind.gateway")
DELIVERED: Mapping[str, Callable[[Proof], Delivery | None]] = {
    "github": github.delivered,
    "gitlab": gitlab.delivered,
    "gitea": gitea.delivered,
}
_ID = re.compile(r"[A-Za-z0-9._-]{1,100}")


@dataclass(frozen=True)
class Ways:
    """``connected`` finds the forge of a hook's name, ``secrets`` resolves its active ones.

    ``start`` begins a run, or finds the one of the same key, and answers its id.
    """

    connected: Callable[[str], Connected | None]
    secrets: Callable[[Forge], tuple[str, ...]]
    start: Callable[[Wish, str], str]
    now_seconds: Callable[[], float] = time.time


def router(
    live_shop_facts: Callable[[str], Connected | None],
    secrets: Callable[[Forge], tuple[str, ...]],
    start: Callable[[Wish, str], str],
) -> APIRouter:
    """POST /hooks/{name}: 200 with the run's id, or with why nothing is done.

    401 (no more is said) without a valid signature, 400 for a payload of another shape, 403 for
    another project, 413 and 415 for a body that is too large or no JSON, 503 for a retry later.
    """
    ways, made = Ways(live_shop_facts, secrets, start), APIRouter()

    @made.post("/hooks/{name}")
    async def receive(name: str, request: Request) -> Response:
        """A forge's webhook, for the shop of that name: answers `run`, or `nothing` and why."""
        began = time.monotonic()
        answer = await _received(ways, name, request)
        took = (time.monotonic() - began) * 1000
        LOG.info("hook %.60r: %d in %.0f ms", name, answer.status_code, took)
        return answer

    return made


async def _received(ways: Ways, name: str, request: Request) -> Response:
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        return _said(415, "application/json is needed")
    body = await _body(request)
    if body is None:
        return _said(413, f"the body is over {MOST_BYTES} bytes")
    return await run_in_threadpool(_answer, ways, name, dict(request.headers), body)


async def _body(request: Request) -> bytes | None:
    """The raw bytes, as they were signed; None for more than the most, which are not read."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            return None
    return bytes(body)


def _answer(ways: Ways, name: str, headers: Mapping[str, str], body: bytes) -> Response:
    try:
        return _proven(ways, name, headers, body)
    except BadInput as error:
        return _said(400, str(error))
    except Refused as error:
        return _said(403, str(error))
    except Unavailable as error:
        LOG.warning("hook %.60r: %s", name, error)
        return _said(503, "not now: something that is needed does not answer")


def _proven(ways: Ways, name: str, headers: Mapping[str, str], body: bytes) -> Response:
    """A hook that is not there answers as a wrong signature does."""
    known, secrets = _known(ways, name)
    if known is None:
        return Response(status_code=401)
    proof = Proof(headers, body, secrets, ways.now_seconds())
    delivery = DELIVERED[known.settings.kind](proof)
    if delivery is None:
        return Response(status_code=401)
    if not _ID.fullmatch(delivery.id):
        raise BadInput(f"the delivery's id is {delivery.id[:40]!r}: 1 to 100 letters and digits")
    wish = _wish(known, delivery, _payload(body))
    if isinstance(wish, Ignored):
        LOG.info("hook %.60r, delivery %s: %s", name, delivery.id, wish.reason)
        return JSONResponse({"nothing": wish.reason})
    run = ways.start(wish, f"hook-{name}-{delivery.key}")
    LOG.info("hook %.60r, delivery %s: %s, run %s", name, delivery.id, wish.reason, run)
    return JSONResponse({"run": run})


def _known(ways: Ways, name: str) -> tuple[Connected | None, tuple[str, ...]]:
    """What is wrong with our own settings is for the log: nobody has proven anything yet."""
    try:
        known = ways.connected(name)
        return known, ways.secrets(known.settings) if known else ()
    except TradewindError as error:
        raise Unavailable(f"nothing can be proven: {error}") from error


def _wish(known: Connected, delivery: Delivery, payload: Mapping[str, Any]) -> Wish | Ignored:
    event = parse(known.settings, delivery.event, payload, delivery.id)
    if isinstance(event, Event) and event.kind == "comment":
        event = _confirmed(known, event)
    if isinstance(event, Ignored):
        return event
    wish = decide(known.settings, event)
    if isinstance(wish, Ignored) or event.forced is not None:
        return wish
    return decide(known.settings, replace(event, forced=_forced(known, event)))


def _confirmed(known: Connected, event: Event) -> Event | Ignored:
    """The forge's word on who may write and which commit is meant; not the payload's alone."""
    if not addressed(known.settings, event):
        return Ignored("the comment is no command of somebody who may give it")
    may_write = known.client.may_write(event.actor)
    return confirmed(event, known.client.change(event.number), may_write)


def _forced(known: Connected, event: Event) -> bool:
    """Where the payload does not say: what the branch was is not in what it is."""
    return bool(event.before.strip("0")) and not known.client.has(event.commit, event.before)


def _payload(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"the body is no JSON: {str(error)[:100]}") from error
    if not isinstance(found, dict):
        raise BadInput(f"the body is a {type(found).__name__}: an object is needed")
    return found


def _said(status: int, sentence: str) -> Response:
    return JSONResponse({"detail": sentence}, status)
