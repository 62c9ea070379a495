"""The marketplace over HTTP: SP-API for the seller, ``/_simulator/`` for buyers and tests."""

from collections.abc import Callable
from dataclasses import asdict
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from examples.marketplace.account import SoldOut
from examples.marketplace.api import Answer, Marketplace, Problem
from examples.marketplace.faults import Faults


def application(marketplace: Marketplace) -> Starlette:
    """One process, one event loop: every request sees and leaves a whole state."""

    async def token(request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        return _sent(lambda: marketplace.token(form))

    async def orders(request: Request) -> Response:
        return _sent(lambda: marketplace.orders(request.query_params, _token(request)))

    async def stock(request: Request) -> Response:
        return _sent(lambda: marketplace.stock(request.query_params, _token(request)))

    async def add(request: Request) -> Response:
        body = await request.json()
        key = request.headers.get("x-amzn-idempotency-token", "")
        return _sent(lambda: marketplace.add_inventory(body, key, _token(request)))

    return Starlette(routes=[
        Route("/auth/o2/token", token, methods=["POST"]),
        Route("/orders/2026-01-01/orders", orders),
        Route("/fba/inventory/v1/summaries", stock),
        Route("/fba/inventory/v1/items/inventory", add, methods=["POST"]),
        *_simulator(marketplace),
    ])  # fmt: skip


def _simulator(marketplace: Marketplace) -> list[Route]:
    """The buyers' side, the truth, and the fault switches."""
    account = marketplace.account

    async def buy(request: Request) -> Response:
        wish = await request.json()
        price, currency = Decimal(str(wish["price"])), str(wish["currency"])
        try:
            sold = account.buy(wish["sku"], wish["quantity"], price, currency, marketplace.clock())
        except SoldOut as error:
            return JSONResponse({"error": str(error)}, 409)
        return JSONResponse({"orderId": sold.order_id}, 201)

    async def set_stock(request: Request) -> Response:
        for sku, quantity in (await request.json()).items():
            account.set_stock(sku, quantity, marketplace.clock())
        return JSONResponse({})

    async def all_orders(request: Request) -> Response:
        shown = [{**asdict(one), "price": str(one.price), "at": one.at.isoformat()}
                 for one in account.orders]  # fmt: skip
        return JSONResponse(shown)

    async def all_stock(request: Request) -> Response:
        return JSONResponse({sku: account.last(sku).fulfillable for sku in account.levels})

    async def set_faults(request: Request) -> Response:
        marketplace.faults = Faults(**(await request.json()))
        return JSONResponse(asdict(marketplace.faults))

    return [
        Route("/_simulator/orders", buy, methods=["POST"]),
        Route("/_simulator/stock", set_stock, methods=["POST"]),
        Route("/_simulator/orders", all_orders),
        Route("/_simulator/stock", all_stock),
        Route("/_simulator/faults", set_faults, methods=["PUT"]),
    ]


def _token(request: Request) -> str:
    return request.headers.get("x-amz-access-token", "")


def _sent(act: Callable[[], Answer]) -> Response:
    try:
        answer = act()
    except Problem as problem:
        answer = problem.answer
    headers: dict[str, Any] = {}
    if answer.rate is not None:
        headers["x-amzn-RateLimit-Limit"] = str(answer.rate)
    return JSONResponse(answer.body, answer.status, headers)
