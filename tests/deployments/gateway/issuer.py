"""An OpenID provider on loopback: discovery, keys, codes once each, PKCE checked."""

import hashlib
import secrets
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

import uvicorn
from fastapi import FastAPI, Request
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.responses import JSONResponse, RedirectResponse, Response

from deployments.stack.processes import until
from tests.deployments.gateway.street import free_port

CLIENT, CLIENT_SECRET = "tradewind", "shared with the gateway"


@dataclass
class Issuer:
    """``lies`` replaces claims; ``key`` signs, while ``published`` is what it shows."""

    url: str
    subject: str = "subject-1"
    lies: dict[str, Any] = field(default_factory=dict)
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "1"}))
    published: RSAKey | None = None
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def app(self) -> FastAPI:
        app = FastAPI()
        app.add_route("/.well-known/openid-configuration", self.discovery)
        app.add_route("/keys", self.keys)
        app.add_route("/authorize", self.authorize)
        app.add_route("/token", self.token, methods=["POST"])
        return app

    def discovery(self, request: Request) -> Response:
        paths = {
            "authorization_endpoint": "authorize",
            "token_endpoint": "token",
            "jwks_uri": "keys",
        }
        return JSONResponse(
            {"issuer": self.url, **{k: f"{self.url}/{v}" for k, v in paths.items()}}
        )

    def keys(self, request: Request) -> Response:
        return JSONResponse({"keys": [(self.published or self.key).as_dict(private=False)]})

    def authorize(self, request: Request) -> Response:
        """Everybody is signed in already."""
        asked = dict(request.query_params)
        assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
        code = secrets.token_urlsafe(8)
        self.codes[code] = asked
        back = urlencode({"code": code, "state": asked["state"]})
        return RedirectResponse(f"{asked['redirect_uri']}?{back}", 302)

    async def token(self, request: Request) -> Response:
        given = dict(parse_qsl((await request.body()).decode()))
        asked = self.codes.pop(given.get("code", ""), None)
        digest = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
        proof = urlsafe_b64encode(digest).rstrip(b"=").decode()
        if asked is None or proof != asked["code_challenge"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(time.time())
        honest = {"iss": self.url, "aud": CLIENT, "sub": self.subject, "nonce": asked["nonce"]}
        claims = {**honest, "iat": now, "exp": now + 60, "email": "ann@shop.example", **self.lies}
        signed = jwt.encode({"alg": "RS256", "kid": "1"}, claims, self.key)
        return JSONResponse({"access_token": "a", "token_type": "Bearer", "id_token": signed})


@contextmanager
def issuing() -> Iterator[Issuer]:
    port = free_port()
    issuer = Issuer(f"http://127.0.0.1:{port}")
    server = uvicorn.Server(
        uvicorn.Config(issuer.app(), host="127.0.0.1", port=port, log_config=None)
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert until(lambda: server.started, 10)
        yield issuer
    finally:
        server.should_exit = True
        thread.join(20)
