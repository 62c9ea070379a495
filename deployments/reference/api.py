"""The gateway's own HTTP API, read from its routes; its pages for people are left out."""

import inspect
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from blocks.shop import Live
from deployments.gateway import signed
from deployments.gateway.lent import Lent
from deployments.reference.page import SAMPLE, described, page, shown, table

PAGES = "/gate/"
SAID = (
    "Programs bring a token (`tradewind tokens issue`) as `Authorization: Bearer …`; a signed-in"
    " session does, too. Bodies and answers are JSON. 401 is for who is not known, 403 for what is"
    " not permitted or refused, 422 for a body of another shape, 429 for too much at once: each"
    " with a sentence in `detail`.\n\nWho may do what is told in"
    " [the gateway](../how-to/gateway.md). Prefect's own API is behind `/api`, and only what the"
    " gateway knows passes."
)


def api() -> str:
    """A section for each route."""
    document = application().openapi()
    return page("The gateway's API", SAID, (_section(one, document) for one in routes()))


def application() -> FastAPI:
    """The shop's own routes; nothing of them is called."""
    made = FastAPI()
    for router in routers():
        made.include_router(router)
    return made


def routers() -> tuple[APIRouter, ...]:
    with tempfile.TemporaryDirectory() as state:
        return Lent(Live(SAMPLE, Path(state))).routers


def routes() -> tuple[APIRoute, ...]:
    """Programs' own, in alphabetical order."""
    found = [
        one
        for router in routers()
        for one in router.routes
        if isinstance(one, APIRoute) and not one.path.startswith(PAGES)
    ]
    return tuple(sorted(found, key=lambda one: (one.path, method(one))))


def method(route: APIRoute) -> str:
    """The one that it answers."""
    return sorted(route.methods or ())[0]


def _section(route: APIRoute, document: Mapping[str, Any]) -> str:
    told = document["paths"][route.path][method(route).lower()]
    body, said = _schema(told, document)
    parts = (
        f"## {method(route)} {route.path}",
        described(route.endpoint) or said,
        f"{_who(route)} Answers {route.status_code or 200}.",
        table(("Field", "Where", "What", "Where it is left out"), (*_asked(told), *_fields(body))),
    )
    return "\n\n".join(part for part in parts if part)


def _who(route: APIRoute) -> str:
    """By what the route depends on."""
    for one in route.dependant.dependencies:
        if one.call is signed:
            return "For everybody who is signed in."
        permission = _permission(one.call)
        if permission:
            return f"For those with the permission to `{permission}`."
    return "Without a token: what it is sent proves itself."


def _permission(call: Any) -> str:
    return str(inspect.getclosurevars(call).nonlocals.get("permission", ""))


def _schema(told: Mapping[str, Any], document: Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
    """The body's schema and what is said of it; empty where there is no body."""
    content = told.get("requestBody", {}).get("content", {}).get("application/json", {})
    name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
    found = document.get("components", {}).get("schemas", {}).get(name, {})
    return found, found.get("description", "").replace("``", "`")


def _asked(told: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    for one in told.get("parameters", ()):
        place = {"path": "path", "query": "query", "header": "header"}[one["in"]]
        yield (
            f"`{one['name']}`",
            place,
            _type(one["schema"]),
            _left_out(one["required"], one["schema"]),
        )


def _fields(body: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    needed = body.get("required", ())
    for name, schema in body.get("properties", {}).items():
        yield f"`{name}`", "body", _type(schema), _left_out(name in needed, schema)


def _left_out(needed: bool, schema: Mapping[str, Any]) -> str:
    default = schema.get("default")
    return (
        "**needed**" if needed else shown(tuple(default) if isinstance(default, list) else default)
    )


def _type(schema: Mapping[str, Any]) -> str:
    inner = f" of {_type(schema['items'])}" if "items" in schema else ""
    most = f", at most {schema['maxLength']} characters" if "maxLength" in schema else ""
    words = {
        "string": "text",
        "integer": "whole number",
        "array": "list",
        "boolean": "true or false",
    }
    named = {"uuid": "a run's id", "date-time": "a time with its zone"}
    kind = named.get(schema.get("format", "")) or words.get(schema.get("type", ""), "")
    return kind + inner + most
