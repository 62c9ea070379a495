"""eBay's OAuth: a seller's token for the refresh token, an app's for the app's own credentials."""

from base64 import b64decode
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from examples.marketplace.market import Market

TOKEN_SECONDS = 7200
SELLERS, APPS = "v^1.1#seller#", "v^1.1#app#"
CLIENT = {
    "client_id": "demo-client",
    "client_secret": "demo-secret",
    "refresh_token": "demo-refresh",
}


def route(market: Market) -> Route:
    async def token(request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode(errors="replace")))
        status, body = _answer(market, request.headers.get("authorization", ""), form)
        return JSONResponse(body, status)

    return Route("/identity/v1/oauth2/token", token, methods=["POST"])


def _answer(
    market: Market, authorization: str, form: Mapping[str, str]
) -> tuple[int, dict[str, Any]]:
    if _credentials(authorization) != f"{CLIENT['client_id']}:{CLIENT['client_secret']}":
        return 401, _error("invalid_client", "client authentication failed")
    kind = form.get("grant_type")
    if kind == "client_credentials":
        return 200, _granted(market, APPS, "Application Access Token")
    if kind != "refresh_token":
        return 400, _error("unsupported_grant_type", "grant type in request is not supported")
    if form.get("refresh_token") != CLIENT["refresh_token"]:
        said = "the provided authorization refresh token is invalid or was issued to another client"
        return 400, _error("invalid_grant", said)
    return 200, _granted(market, SELLERS, "User Access Token")


def _credentials(authorization: str) -> str:
    scheme, _, value = authorization.partition(" ")
    try:
        return b64decode(value).decode() if scheme.lower() == "basic" else ""
    except ValueError:
        return ""


def _granted(market: Market, prefix: str, kind: str) -> dict[str, Any]:
    return {
        "access_token": market.issued(prefix),
        "expires_in": int(market.token_seconds),
        "token_type": kind,
    }


def _error(error: str, description: str) -> dict[str, str]:
    return {"error": error, "error_description": description}
