"""Login with Amazon: an access token for the refresh token."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from examples.marketplace.market import Market

CLIENT = {
    "client_id": "demo-client",
    "client_secret": "demo-secret",
    "refresh_token": "demo-refresh",
}


def route(market: Market) -> Route:
    async def token(request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode(errors="replace")))
        status, body = _answer(market, form)
        return JSONResponse(body, status)

    return Route("/auth/o2/token", token, methods=["POST"])


def _answer(market: Market, form: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
    """Errors are OAuth's, not SP-API's."""
    if form.get("grant_type") != "refresh_token":
        return 400, _error("unsupported_grant_type", "grant_type must be refresh_token")
    if any(form.get(name) != CLIENT[name] for name in ("client_id", "client_secret")):
        return 401, _error("invalid_client", "Client authentication failed")
    if form.get("refresh_token") != CLIENT["refresh_token"]:
        return 400, _error("invalid_grant", "The request has an invalid grant parameter")
    return 200, {
        "access_token": market.issued("Atza|"),
        "token_type": "bearer",
        "expires_in": int(market.token_seconds),
        "refresh_token": CLIENT["refresh_token"],
    }


def _error(error: str, description: str) -> dict[str, Any]:
    return {"error": error, "error_description": description}
