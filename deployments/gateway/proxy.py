"""What goes on to Prefect: looked at by a rule first, and never more than the rule says."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from time import monotonic
from uuid import UUID

import httpx
from fastapi import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from deployments.gateway.acts import cancelled, created, resumed
from deployments.gateway.blanks import blank
from deployments.gateway.bodies import body_of
from deployments.gateway.gate import Gate
from deployments.gateway.identity import gate_of, signed
from deployments.gateway.prefect import Call
from domain.access.people import Signed
from domain.access.prefect_api import Kind, rule
from domain.access.roles import Permission
from domain.errors import BadInput, Refused, TradewindError

SENT_ON = (
    "accept", "accept-encoding", "accept-language", "content-type", "if-modified-since",
    "if-none-match", "range", "x-prefect-api-version",
)  # fmt: skip
SENT_BACK = (
    "accept-ranges", "cache-control", "content-disposition", "content-encoding", "content-length",
    "content-range", "content-type", "etag", "last-modified", "retry-after", "vary",
)  # fmt: skip
CHOSEN_UI = "prefect_ui_version"
"""The one cookie that Prefect gets: which of its two UIs a person chose."""

Act = Callable[[Gate, Signed, UUID, bytes], Awaitable[bytes]]
ACTS: Mapping[Kind, Act] = {"create_run": created, "resume": resumed, "cancel": cancelled}
FIRST_LOOK: Mapping[Kind, tuple[Permission, ...]] = {"resume": ("approve", "rollback")}
"""Where more than the rule's own permission may do; the act looks up which of them it takes."""
NOT_OF_THE_UI = ("/docs", "/redoc", "/openapi.json")


@dataclass(frozen=True)
class Asked:
    """Who calls Prefect's API, and how."""

    gate: Gate
    signed: Signed
    request: Request


async def passed(request: Request) -> Response:
    """Prefect's API under /api, its UI everywhere else."""
    path = request.url.path
    if path == "/api" or path.startswith("/api/"):
        return await _api(request)
    return await _ui(request)


async def _api(request: Request) -> Response:
    asked = Asked(gate_of(request), await signed(request), request)
    if asked.signed.may_anywhere("view"):
        own = blank(request, asked.signed.may_anywhere("manage"))
        if own is not None:
            return own
    try:
        kind = _looked_at(asked)
    except Refused as refusal:
        _noted(asked, str(refusal))
        raise
    call = _call(request, await body_of(request))
    if kind == "read":
        return await _answered(asked.gate, call)
    return await _acted(asked, ACTS[kind], call)


def _looked_at(asked: Asked) -> Kind:
    """Refused where there is no rule, or the person has none of its permissions for anything."""
    method, path = asked.request.method, asked.request.url.path
    known = rule(method, path)
    if known is None:
        raise Refused(f"{method} {path} does not pass the gateway")
    needed = FIRST_LOOK.get(known.kind, (known.permission,))
    if not any(asked.signed.may_anywhere(one) for one in needed):
        raise Refused(f"{asked.signed.person.name} may not {' or '.join(needed)}; ask an admin")
    return known.kind


async def _acted(asked: Asked, act: Act, call: Call) -> Response:
    """A call that changes something: bounded, rewritten, and written to the log either way."""
    try:
        _bounded(asked)
        body = await act(asked.gate, asked.signed, _number(call.target), call.body)
        answer = await _answered(asked.gate, replace(call, body=body))
    except (TradewindError, HTTPException) as error:
        _noted(asked, str(error))
        raise
    _noted(asked, str(answer.status_code))
    return answer


def _bounded(asked: Asked) -> None:
    seconds = asked.gate.changing.wait(_caller(asked.signed), monotonic())
    if seconds:
        sentence = f"too many changes by {asked.signed.person.name}: again in {seconds} s"
        raise HTTPException(429, sentence, headers={"Retry-After": str(seconds)})


def _caller(signed: Signed) -> str:
    """Each token has a bound of its own, a person one over all sessions."""
    return signed.session if signed.via == "token" else signed.person.name


def _noted(asked: Asked, answer: str) -> None:
    """What the line of the access log says in place of the status."""
    asked.request.state.answer = answer


def _number(target: str) -> UUID:
    """The id in /api/deployments/{id}/… and /api/flow_runs/{id}/…"""
    try:
        return UUID(target.split("/")[3])
    except (IndexError, ValueError):
        raise BadInput("the path has no id where one has to be") from None


async def _ui(request: Request) -> Response:
    who, gate = await signed(request), gate_of(request)
    if request.method not in ("GET", "HEAD") or request.url.path.startswith(NOT_OF_THE_UI):
        raise HTTPException(404, "there is no such page")
    if not who.may_anywhere("view"):
        raise Refused(f"{who.person.name} may not view; ask an admin")
    if request.url.path == "/ui-settings":
        return await _ui_settings(gate, _call(request, b""))
    return await _answered(gate, _call(request, b""))


async def _ui_settings(gate: Gate, call: Call) -> Response:
    """Prefect tells its UI an address on loopback; the UI has to come through here."""
    answer = await gate.prefect.send(replace(call, headers={}))
    told = json.loads(await answer.aread())
    await answer.aclose()
    here = {"api_url": f"{gate.settings.origin}/api", "auth": None, "csrf_enabled": False}
    return JSONResponse({**told, **here}, headers={"cache-control": "no-store"})


def _call(request: Request, body: bytes) -> Call:
    query = request.url.query
    headers = {name: request.headers[name] for name in SENT_ON if name in request.headers}
    chosen = request.cookies.get(CHOSEN_UI)
    if chosen in ("v1", "v2"):
        headers["cookie"] = f"{CHOSEN_UI}={chosen}"
    path = request.scope["raw_path"].decode()
    return Call(request.method, f"{path}?{query}" if query else path, headers, body)


class Passed(StreamingResponse):
    """Prefect's own answer, piece by piece; however it ends, its connection is free again."""

    def __init__(self, answer: httpx.Response, headers: Mapping[str, str]) -> None:
        super().__init__(answer.aiter_raw(), answer.status_code, headers)
        self.answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self.answer.aclose()


async def _answered(gate: Gate, call: Call) -> Response:
    """With those of Prefect's headers that we know."""
    answer = await gate.prefect.send(call)
    kept = {name: answer.headers[name] for name in SENT_BACK if name in answer.headers}
    if answer.is_redirect:
        kept["location"] = _here(gate, answer)
    return Passed(answer, kept)


def _here(gate: Gate, answer: httpx.Response) -> str:
    """Where a redirect leads, as a path of this gateway; the home page when it leads elsewhere."""
    location = answer.headers.get("location", "")
    path: str = location.removeprefix(gate.prefect.url)
    return path if path.startswith("/") and not path.startswith("//") else "/gate/"
