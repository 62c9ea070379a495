"""The gateway: the only way to Prefect for people and machines, who are known by name here."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from blocks.people import People, Tokens
from deployments.gateway import answers, oidc, pages, proxy, sockets, ways
from deployments.gateway.gate import SESSION, Behind, Gate, cookie_name
from deployments.gateway.guard import METHODS, Guard
from deployments.gateway.hooks import Hooks
from deployments.gateway.identity import needs, signed
from deployments.gateway.prefect import Prefect
from domain.access.gateway import GatewaySettings, Oidc, objections
from domain.errors import BadInput

__all__ = [
    "Behind",
    "GatewaySettings",
    "Hooks",
    "Oidc",
    "create",
    "needs",
    "signed",
]


def create(
    settings: GatewaySettings, people: People, tokens: Tokens, behind: Behind, hooks: Hooks
) -> FastAPI:
    """The app, for uvicorn; BadInput when the settings do not go together."""
    against = objections(settings)
    if against:
        raise BadInput(*against)
    prefect = Prefect(behind.prefect_url, behind.prefect_auth)
    gate = Gate(settings, people, tokens, behind, hooks, prefect)
    app = FastAPI(
        openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False,
        lifespan=_open_as_long_as_it_runs,
    )  # fmt: skip
    app.state.gate = gate
    app.add_middleware(Guard, settings=settings, cookie=cookie_name(settings, SESSION))
    answers.install(app)
    _mount(app, gate)
    return app


def _mount(app: FastAPI, gate: Gate) -> None:
    """Own pages, then what was lent, and Prefect behind everything that has no owner."""
    app.include_router(pages.router)
    app.include_router(ways.router)
    if gate.settings.oidc is not None:
        app.include_router(oidc.router(gate.settings.oidc, gate.settings.origin))
    for router in gate.hooks.routers:
        app.include_router(router)
    app.include_router(sockets.router)
    app.add_route("/{path:path}", proxy.passed, methods=list(METHODS))


@asynccontextmanager
async def _open_as_long_as_it_runs(app: FastAPI) -> AsyncIterator[None]:
    yield
    await app.state.gate.prefect.close()
