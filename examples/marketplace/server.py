"""A marketplace over HTTP: its official API for sellers, ``/_simulator/`` for buyers and tests."""

from dataclasses import asdict
from decimal import Decimal
from email.utils import format_datetime
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from examples.marketplace.account import Sold, SoldLine, SoldOut
from examples.marketplace.faults import Faults
from examples.marketplace.market import Api, Market


def application(api: Api) -> Starlette:
    """One process, one event loop: every request sees and leaves a whole state."""

    async def dated(request: Request, following: RequestResponseEndpoint) -> Response:
        answer = await following(request)
        answer.headers["date"] = format_datetime(api.market.now(), usegmt=True)
        return answer

    return Starlette(
        routes=[*api.routes(), *_simulator(api.market)],
        middleware=[Middleware(BaseHTTPMiddleware, dispatch=dated)],
    )


def _simulator(market: Market) -> list[Route]:
    """The buyers' side, the truth, and the fault switches."""
    account = market.account

    async def buy(request: Request) -> Response:
        """Either one SKU (sku, quantity, price) or several ``lines`` of them; one currency."""
        wish = await request.json()
        lines = tuple(
            SoldLine(one["sku"], one["quantity"], Decimal(str(one["price"])))
            for one in wish.get("lines", [wish])
        )
        try:
            state = wish.get("state", "open")
            sold = account.buy(lines, str(wish["currency"]), market.clock(), state)
        except SoldOut as error:
            return JSONResponse({"error": str(error)}, 409)
        return JSONResponse({"orderId": sold.order_id}, 201)

    async def become(request: Request) -> Response:
        state = (await request.json())["state"]
        return JSONResponse(_shown(account.become(_named(request), state, market.clock())))

    async def set_stock(request: Request) -> Response:
        for sku, quantity in (await request.json()).items():
            account.set_stock(sku, quantity, market.clock())
        return JSONResponse({})

    async def all_orders(request: Request) -> Response:
        return JSONResponse([_shown(known[-1]) for known in account.orders.values()])

    async def all_stock(request: Request) -> Response:
        return JSONResponse({sku: account.last(sku).fulfillable for sku in account.levels})

    async def set_faults(request: Request) -> Response:
        market.faults = Faults(**(await request.json()))
        return JSONResponse(asdict(market.faults))

    return [
        Route("/_simulator/orders", buy, methods=["POST"]),
        Route("/_simulator/orders/{order_id:path}", become, methods=["PATCH"]),
        Route("/_simulator/stock", set_stock, methods=["POST"]),
        Route("/_simulator/orders", all_orders),
        Route("/_simulator/stock", all_stock),
        Route("/_simulator/faults", set_faults, methods=["PUT"]),
    ]


def _named(request: Request) -> str:
    name: str = request.path_params["order_id"]
    return name


def _shown(sold: Sold) -> dict[str, Any]:
    return {
        "order_id": sold.order_id,
        "lines": [{**asdict(line), "price": str(line.price)} for line in sold.lines],
        "currency": sold.currency,
        "total": str(sold.total),
        "at": sold.at.isoformat(),
        "updated_at": sold.updated_at.isoformat(),
        "state": sold.state,
    }
