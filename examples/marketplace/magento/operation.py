"""What Magento's operations have in common: bearer tokens, errors, ``fields``."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from examples.marketplace.market import Market

INTEGRATION = "demo-integration-token"
MOST_DEPTH = 50
WORD = re.compile(r"[^\[\],]+|[\[\],]")


class Problem(Exception):
    """An answer that is an error; ``parameters`` fill the places of the message."""

    def __init__(self, status: int, message: str, *errors: str, **parameters: str) -> None:
        self.status = status
        self.body: dict[str, Any] = {"message": message}
        if parameters:
            self.body["parameters"] = [parameters]
        if errors:
            self.body["errors"] = [{"message": error} for error in errors]
        super().__init__(message)


@dataclass(frozen=True)
class Asked:
    """A request as an operation sees it; ``body`` is its JSON, None when it is none."""

    path: Mapping[str, Any]
    query: Mapping[str, str]
    body: Any

    def entity(self, name: str) -> Any:
        """Raises Problem when the body has no such part."""
        if not isinstance(self.body, dict) or name not in self.body:
            raise Problem(400, '"%fieldName" is required. Enter and try again.', fieldName=name)
        return self.body[name]


@dataclass(frozen=True)
class Operation:
    """``resource`` is what a token must be good for, "" when none is needed."""

    method: str
    path: str
    resource: str
    answer: Callable[[Market, Asked], Any]


def served(market: Market, operation: Operation, root: str) -> Route:
    async def respond(request: Request) -> Response:
        try:
            _admit(market, operation, request.headers.get("authorization", ""))
            asked = Asked(request.path_params, request.query_params, await _json(request))
            found = operation.answer(market, asked)
            return JSONResponse(_only(found, request.query_params.get("fields", "")))
        except Problem as problem:
            return JSONResponse(problem.body, problem.status)

    return Route(root + operation.path, respond, methods=[operation.method])


def _admit(market: Market, operation: Operation, authorization: str) -> None:
    spoilt = market.faults.spoil()
    if spoilt == 429:
        raise Problem(429, "Too many requests.")
    if spoilt == 503:
        raise Problem(503, "Service Temporarily Unavailable")
    token = authorization.removeprefix("Bearer ")
    known = token == INTEGRATION or market.knows(token)
    if operation.resource and (spoilt or not known):
        message = "The consumer isn't authorized to access %resources."
        raise Problem(401, message, resources=operation.resource)


async def _json(request: Request) -> Any:
    try:
        return json.loads(await request.body() or b"null")
    except (ValueError, RecursionError):
        return None


def _only(found: Any, fields: str) -> Any:
    """Of an answer that is an object, the ``fields`` that are asked for: ``items[sku],total``."""
    if not fields or not isinstance(found, dict):
        return found
    if fields.count("[") > MOST_DEPTH:
        raise Problem(400, "Invalid fields", fieldValue=fields[:100])
    return _picked(found, _tree(WORD.findall(fields)))


Tree = dict[str, "Tree"]


def _tree(words: list[str]) -> Tree:
    """Takes the words up to the bracket that closes this level."""
    tree: Tree = {}
    name = ""
    while words:
        word = words.pop(0)
        if word == "]":
            break
        if word == "[":
            tree[name] = _tree(words)
        elif word != ",":
            name = word.strip()
            tree[name] = {}
    return tree


def _picked(found: Any, tree: Tree) -> Any:
    if not tree:
        return found
    if isinstance(found, list):
        return [_picked(one, tree) for one in found]
    if not isinstance(found, dict):
        return found
    return {name: _picked(found[name], part) for name, part in tree.items() if name in found}
