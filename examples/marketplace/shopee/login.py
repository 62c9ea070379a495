"""An access token for a refresh token, which is good for one use and brings its successor."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from examples.marketplace.market import Market
from examples.marketplace.shopee.operation import (
    APPS,
    Problem,
    check_signature,
    envelope,
    parsed,
    refused,
)

PATH = "/api/v2/auth/access_token/get"


def route(market: Market) -> Route:
    good = {partner: app["refresh_token"] for partner, app in APPS.items()}

    async def refresh(request: Request) -> Response:
        try:
            check_signature(market, request.query_params, PATH)
            app = APPS[request.query_params["partner_id"]]
            return envelope(**_granted(market, app, await parsed(request), good))
        except Problem as problem:
            return refused(problem)

    return Route(PATH, refresh, methods=["POST"])


def _granted(
    market: Market, app: Mapping[str, str], body: Any, good: dict[str, str]
) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise Problem("error_param", "There is no refresh_token in body.")
    ids = {name: int(app[name]) for name in ("partner_id", "shop_id")}
    for name, known in ids.items():
        if body.get(name) != known:
            raise Problem("error_param", f"Invalid {name}.")
    partner = app["partner_id"]
    if body.get("refresh_token") != good[partner]:
        raise Problem("error_auth", "Invalid refresh_token.", 403)
    access_token = market.issued("shopee-access-")
    good[partner] = f"shopee-refresh-{len(market.tokens)}"
    return {
        **ids,
        "access_token": access_token,
        "refresh_token": good[partner],
        "expire_in": int(market.token_seconds),
    }
