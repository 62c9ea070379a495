"""Who is asking: a session's cookie or a token; and what other routes ask of it."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import cast

from fastapi import HTTPException
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from deployments.gateway.gate import Gate
from domain.access.people import Signed
from domain.access.roles import Permission
from domain.errors import Refused


def gate_of(connection: HTTPConnection) -> Gate:
    return cast(Gate, connection.app.state.gate)


async def signed(request: HTTPConnection) -> Signed:
    """A dependency of routes: who is signed in; nobody is answered with 401."""
    found = await signed_or_nobody(request)
    if found is None:
        raise HTTPException(401, "sign in first", headers={"WWW-Authenticate": "Bearer"})
    request.state.who = f"{found.person.name} ({found.via})"
    return found


def needs(permission: Permission) -> Callable[[HTTPConnection], Awaitable[Signed]]:
    """A dependency: somebody who has the permission for something; the route asks ``may`` for what.

    Raises Refused for everybody else.
    """

    async def permitted(request: HTTPConnection) -> Signed:
        found = await signed(request)
        if not found.may_anywhere(permission):
            raise Refused(f"{found.person.name} may not {permission}; an admin can grant it")
        return found

    return permitted


async def signed_or_nobody(connection: HTTPConnection) -> Signed | None:
    """A token, where one is sent, and never the cookie beside it."""
    gate, now = gate_of(connection), datetime.now(UTC)
    token = bearer(connection)
    if token is not None:
        return await run_in_threadpool(gate.tokens.found, token, now)
    cookie = connection.cookies.get(gate.session_cookie, "")
    return await run_in_threadpool(gate.people.session, cookie, now) if cookie else None


def bearer(connection: HTTPConnection) -> str | None:
    """The token of the Authorization header; "" when that has none that one could read."""
    kind, _, token = connection.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.casefold() == "bearer" else None


def address(connection: HTTPConnection) -> str:
    """Where a call comes from; behind an own proxy the last address that it noted."""
    client = connection.client.host if connection.client else ""
    if not gate_of(connection).settings.behind_proxy:
        return client
    noted = ",".join(connection.headers.getlist("x-forwarded-for"))
    return noted.rpartition(",")[2].strip() or client
