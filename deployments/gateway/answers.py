"""How errors are told: a sentence as JSON, or a page for a person; never a trace."""

from http import HTTPStatus
from urllib.parse import urlencode

from fastapi import FastAPI
from starlette.exceptions import HTTPException as AnyHTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from deployments.gateway.pages import shown
from domain.errors import BadInput, Refused, TradewindError, Unavailable

SIGN_IN = "/gate/sign-in"


def install(app: FastAPI) -> None:
    """Our errors and the framework's; anything else ends in the guard."""
    app.add_exception_handler(TradewindError, _of_tradewind)
    app.add_exception_handler(AnyHTTPException, _of_http)


async def _of_tradewind(request: Request, error: Exception) -> Response:
    return _told(request, status_of(error), str(error))


async def _of_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, AnyHTTPException)
    if error.status_code == HTTPStatus.UNAUTHORIZED and _navigates(request):
        return RedirectResponse(f"{SIGN_IN}?{urlencode({'next': _wanted(request)})}", 303)
    answer = _told(request, error.status_code, str(error.detail))
    answer.headers.update(error.headers or {})
    return answer


def status_of(error: Exception) -> int:
    if isinstance(error, BadInput):
        return 422
    if isinstance(error, Refused):
        return 403
    return 503 if isinstance(error, Unavailable) else 500


def _told(request: Request, status: int, sentence: str) -> Response:
    if _navigates(request) or request.url.path.startswith("/gate/"):
        return shown(request, "said.html", status, sentence=sentence)
    return JSONResponse({"detail": sentence}, status)


def _navigates(request: Request) -> bool:
    """Whether a person's browser opens a page, rather than a script or a machine asking."""
    is_page = not request.url.path.startswith("/api")
    return is_page and request.method == "GET" and "text/html" in request.headers.get("accept", "")


def _wanted(request: Request) -> str:
    path, query = request.scope["raw_path"].decode(), request.url.query
    return f"{path}?{query}" if query else path
