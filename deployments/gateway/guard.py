"""In front of everything: odd paths, other hosts and other sites' forms are turned away here."""

import logging
from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deployments.gateway.origin import SAFE_METHODS, same
from deployments.gateway.paths import straight
from domain.access.gateway import GatewaySettings

log = logging.getLogger("tradewind.gateway")

METHODS = (*SAFE_METHODS, "POST", "PUT", "PATCH", "DELETE")
OWN_PAGES = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'"
)
PREFECT_UI = (
    "default-src 'self'; script-src 'self' 'unsafe-eval'; worker-src 'self' blob:;"
    " style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:;"
    " connect-src 'self' data: blob: {sockets}; object-src 'none'; form-action 'self';"
    " base-uri 'self'; frame-ancestors 'none'"
)
"""Prefect draws its graphs with compiled code in workers that it makes itself, and styles inline.

``data:`` and ``blob:`` to connect to are the page's own pictures, never another machine.
"""
WRONG_HERE = "something went wrong here; the gateway's log says what"
HSTS_SECONDS = 31_536_000


class Guard:
    """An ASGI application around another; answers with a sentence, or adds the safety headers."""

    def __init__(self, app: ASGIApp, settings: GatewaySettings, cookie: str) -> None:
        self.app = app
        self.settings = settings
        self.cookie = cookie

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is None:
            await self._answered(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": refusal[1]})
        else:
            answer = JSONResponse({"detail": refusal[1]}, refusal[0])
            await answer(scope, receive, self._with_headers(scope, send))

    async def _answered(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An error that nobody expected: its trace in the log, a sentence for the caller."""
        begun = False

        async def noting(message: Message) -> None:
            nonlocal begun
            if not begun:
                note(scope, message)
            begun = True
            await send(message)

        sending = self._with_headers(scope, noting)
        try:
            await self.app(scope, receive, sending)
        except ClientDisconnect:
            return  # nobody is there any more to be told
        except Exception:
            log.exception("%s failed", scope["path"])
            if begun or scope["type"] == "websocket":
                raise
            await JSONResponse({"detail": WRONG_HERE}, 500)(scope, receive, sending)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        """A status and a sentence; None when the request may go on."""
        headers = Headers(scope=scope)
        if straight(scope["raw_path"]) != scope["path"]:
            return 400, "the path is not spelled as it has to be"
        if headers.get("host") not in self.settings.hosts:
            return 421, f"this is {self.settings.public_url}, under no other name"
        if scope["type"] == "websocket":
            return self._of_socket(headers)
        if scope["method"] not in METHODS:
            return 405, "the method is not one that is answered here"
        if scope["method"] not in SAFE_METHODS and self._from_elsewhere(scope, headers):
            return 403, f"the request does not come from a page of {self.settings.public_url}"
        return None

    def _of_socket(self, headers: Headers) -> tuple[int, str] | None:
        """Browsers send an Origin, machines with a token none."""
        told = headers.get("origin")
        if told == self.settings.origin or (told is None and _token(headers)):
            return None
        return 403, "the connection does not come from a page of this gateway"

    def _from_elsewhere(self, scope: Scope, headers: Headers) -> bool:
        """Only what a browser sends by itself, a cookie or our own form, has to prove its page."""
        if _token(headers):
            return False
        own = scope["path"].startswith("/gate/") or self._has_cookie(headers)
        return own and not same(headers, self.settings.origin)

    def _has_cookie(self, headers: Headers) -> bool:
        return any(f"{self.cookie}=" in sent for sent in headers.getlist("cookie"))

    def _with_headers(self, scope: Scope, send: Send) -> Send:
        fixed = self._fixed(scope["path"])

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(fixed)
                del headers["server"]
            await send(message)

        return sending

    def _fixed(self, path: str) -> Mapping[str, str]:
        """CSP and its companions; nothing that a person sees is kept by anybody in between."""
        sockets = self.settings.origin.replace("http", "ws", 1)
        own = path.startswith("/gate/")
        return {
            "content-security-policy": OWN_PAGES if own else PREFECT_UI.format(sockets=sockets),
            "x-frame-options": "DENY",
            "x-content-type-options": "nosniff",
            "referrer-policy": "same-origin",
            "cross-origin-opener-policy": "same-origin",
            **(
                {"strict-transport-security": f"max-age={HSTS_SECONDS}"}
                if self.settings.https
                else {}
            ),
        }


def _token(headers: Headers) -> bool:
    return headers.get("authorization", "").partition(" ")[0].casefold() == "bearer"


def note(scope: Scope, begun: Message) -> None:
    """The access log's line for what may change something, or was refused; whoever answered it."""
    known = scope.get("state", {})
    if scope["type"] != "http" or (scope["method"] in SAFE_METHODS and "answer" not in known):
        return
    said = " ".join(str(known.get("answer", begun["status"])).split())
    log.info("%s %s %s: %s", known.get("who", "nobody"), scope["method"], scope["path"], said)
