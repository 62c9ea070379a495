"""The shop's storefront as a load balancer sees it: health and products, from its database."""

import psycopg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


def storefront(shop_url: str) -> Starlette:
    """It answers 200 as long as its database does."""

    def rows(query: str, *values: object) -> list[tuple[object, ...]]:
        with psycopg.connect(shop_url) as connection:
            return connection.execute(query.encode(), values).fetchall()

    async def health(request: Request) -> JSONResponse:
        return JSONResponse({"ok": bool(rows("SELECT 1"))})

    async def products(request: Request) -> JSONResponse:
        found = rows("SELECT sku, sum(quantity)::int FROM stock GROUP BY sku ORDER BY sku")
        return JSONResponse(found)

    async def product(request: Request) -> JSONResponse:
        sku = request.path_params["sku"]
        found = rows("SELECT sku, sum(quantity)::int FROM stock WHERE sku = %s GROUP BY sku", sku)
        return JSONResponse(found, 200 if found else 404)

    return Starlette(
        routes=[
            Route("/health", health),
            Route("/products", products),
            Route("/products/{sku}", product),
        ]
    )
