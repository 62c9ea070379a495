"""Shopify's Admin GraphQL over HTTP: tokens, points, versions, bulk files."""

import json
from typing import Any
from urllib.parse import parse_qsl

from graphql import GraphQLError, execute_sync, parse, validate
from graphql.language import DocumentNode, OperationDefinitionNode
from graphql.utilities import get_operation_ast
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from examples.marketplace.market import Market
from examples.marketplace.shopify.bulk import BulkOperations
from examples.marketplace.shopify.cost import MOST_POINTS, actual, requested
from examples.marketplace.shopify.quantities import Quantities
from examples.marketplace.shopify.schema import SCHEMA
from examples.marketplace.shopify.store import LOCATION, Pages, Store

CLIENT = {
    "client_id": "demo-client",
    "client_secret": "demo-secret",
    "location_id": LOCATION,
}
VERSION = "2026-10"
SUPPORTED = ("2026-01", "2026-04", "2026-07", "2026-10")
RESTORED_PER_SECOND, MOST_AVAILABLE = 100, 2000
"""Of the smallest plan."""
TOKEN_SECONDS = 86_399
LIMITS = "https://shopify.dev/api/usage/rate-limits"


class Shopify:
    """``store`` keeps what an account does not know: several locations, item ids."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.store = Store(market)
        self.bulk = BulkOperations(market, self.store)
        self.quantities = Quantities(self.store)

    def routes(self) -> list[Route]:
        return [
            Route("/admin/oauth/access_token", self._token, methods=["POST"]),
            Route("/admin/api/{version}/graphql.json", self._graphql, methods=["POST"]),
            Route("/bulk/{number:int}.jsonl", self._file),
        ]

    async def _token(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode(errors="replace")))
        if form.get("grant_type") != "client_credentials":
            return JSONResponse({"error": "unsupported_grant_type"}, 400)
        if any(form.get(name) != CLIENT[name] for name in ("client_id", "client_secret")):
            return JSONResponse({"error": "invalid_client"}, 400)
        return JSONResponse({
            "access_token": self.market.issued("shpat_"),
            "scope": "read_inventory,write_inventory,read_orders,read_products",
            "expires_in": self.market.token_seconds,
        })  # fmt: skip

    async def _file(self, request: Request) -> Response:
        written = self.bulk.file(request.path_params["number"])
        if written is None:
            return PlainTextResponse("NoSuchKey", 404)
        return PlainTextResponse(written, media_type="application/jsonl")

    async def _graphql(self, request: Request) -> Response:
        spoilt = self.market.faults.spoil()
        if spoilt == 503:
            return JSONResponse({"errors": "Service Unavailable"}, 503)
        if spoilt == 401 or not self.market.knows(
            request.headers.get("x-shopify-access-token", "")
        ):
            refusal = "[API] Invalid API key or access token (unrecognized login or wrong password)"
            return JSONResponse({"errors": refusal}, 401)
        try:
            body = json.loads(await request.body())
            document, variables = body["query"], body.get("variables") or {}
        except (ValueError, KeyError, TypeError, AttributeError):
            return JSONResponse({"errors": {"query": "Required parameter missing or invalid"}}, 400)
        if not isinstance(document, str) or not isinstance(variables, dict):
            return JSONResponse({"errors": {"query": "Required parameter missing or invalid"}}, 400)
        answer = self._answered(document, variables, str(request.base_url), spoilt == 429)
        asked = request.path_params["version"]
        falls_to = asked if asked in SUPPORTED else SUPPORTED[0]
        version = self.market.faults.version or falls_to
        return JSONResponse(answer, headers={"x-shopify-api-version": version})

    def _answered(
        self, text: str, variables: dict[str, Any], base: str, spoilt: bool
    ) -> dict[str, Any]:
        try:
            document = parse(text, max_tokens=5000)
        except GraphQLError as error:
            return {"errors": [error.formatted]}
        operation = get_operation_ast(document)
        errors = validate(SCHEMA, document)
        if operation is None or errors:
            return {"errors": [one.formatted for one in errors] or [{"message": "No operation"}]}
        return self._within(document, operation, variables, base, spoilt)

    def _within(
        self, document: DocumentNode, operation: OperationDefinitionNode,
        variables: dict[str, Any], base: str, spoilt: bool,
    ) -> dict[str, Any]:  # fmt: skip
        cost = requested(document, operation, variables)
        if cost > MOST_POINTS:
            return _expensive(cost)
        admitted = self.market.admitted(
            "points", RESTORED_PER_SECOND, MOST_AVAILABLE, float("inf") if spoilt else cost
        )
        if not admitted:
            throttled = {"code": "THROTTLED", "documentation": LIMITS}
            return {
                "errors": [{"message": "Throttled", "extensions": throttled}],
                "extensions": {"cost": self._cost(cost, None)},
            }
        result = execute_sync(SCHEMA, document, self._root(), {"base": base}, variables)
        paid = min(cost, actual(operation, result.data or {}))
        bucket = self.market.buckets["points"]
        bucket.left += cost - paid
        return {**result.formatted, "extensions": {"cost": self._cost(cost, paid)}}

    def _root(self) -> dict[str, Any]:
        paged = self.store.root(Pages(self.market))
        return paged | self.bulk.root() | self.quantities.root()

    def _cost(self, cost: int, paid: int | None) -> dict[str, Any]:
        bucket = self.market.buckets["points"]
        return {
            "requestedQueryCost": cost,
            "actualQueryCost": paid,
            "throttleStatus": {
                "maximumAvailable": float(bucket.burst),
                "currentlyAvailable": int(bucket.left),
                "restoreRate": bucket.rate,
            },
        }


def api(market: Market) -> Shopify:
    market.account.numbered = "gid://shopify/Order/{}".format
    if market.token_seconds == Market.token_seconds:
        market.token_seconds = TOKEN_SECONDS
    return Shopify(market)


def _expensive(cost: int) -> dict[str, Any]:
    said = f"Query cost is {cost}, which exceeds the single query max cost limit ({MOST_POINTS})."
    told = {"code": "MAX_COST_EXCEEDED", "cost": cost, "maxCost": MOST_POINTS}
    return {"errors": [{"message": said, "extensions": {**told, "documentation": LIMITS}}]}
