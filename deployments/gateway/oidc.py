"""Signing in with a company's own account: OpenID Connect, code flow with PKCE."""

import hmac
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import httpx
import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from fastapi import APIRouter, HTTPException
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from deployments.gateway.identity import address, gate_of
from deployments.gateway.pages import may_try, with_session
from deployments.gateway.paths import local
from domain.access.gateway import Oidc
from domain.errors import Refused, Unavailable

ANSWER_SECONDS = 10.0
LEEWAY_SECONDS = 60
BEGUN_SECONDS = 600.0
MOST_BEGUN = 1000
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]
"""Only with a public key: with a shared secret the answer could be anybody's who has that."""


@dataclass(frozen=True)
class Begun:
    """A sign-in on its way: what only this browser and this process know of it."""

    browser: str
    nonce: str
    verifier: str
    wanted: str
    at: float


@dataclass(frozen=True)
class Issuer:
    """The company's own server, as its discovery document and this gateway's settings say."""

    oidc: Oidc
    callback: str
    begun: OrderedDict[str, Begun] = field(default_factory=OrderedDict)

    async def start(self, browser: str, wanted: str) -> str:
        """Where the browser goes to sign in."""
        known, state = await self._known(), secrets.token_urlsafe(32)
        begun = Begun(
            browser, secrets.token_urlsafe(32), secrets.token_urlsafe(48), wanted, monotonic()
        )
        self.begun[state] = begun
        if len(self.begun) > MOST_BEGUN:
            self.begun.popitem(last=False)
        url, _ = self._client().create_authorization_url(
            known["authorization_endpoint"],
            state=state,
            nonce=begun.nonce,
            code_verifier=begun.verifier,
        )
        return str(url)

    async def ended(self, browser: str, given: Mapping[str, str]) -> tuple[Begun, dict[str, Any]]:
        """What the issuer says of the person; Refused for an answer that was not asked for."""
        begun = self.begun.pop(given.get("state", ""), None)
        if begun is None or monotonic() - begun.at > BEGUN_SECONDS:
            raise Refused("this sign-in was not begun here, or too long ago; begin again")
        if not hmac.compare_digest(begun.browser, browser):
            raise Refused("this sign-in was begun in another browser; begin again")
        if given.get("iss", self.oidc.issuer) != self.oidc.issuer:
            raise Refused("the answer comes from another issuer")
        if not given.get("code"):
            said = given.get("error", "no code")[:60]
            raise Refused(f"{self.oidc.issuer} did not sign you in: {said}")
        known = await self._known()
        about = (known["token_endpoint"], given["code"], begun.verifier)
        token = await run_in_threadpool(self._token, *about)
        return begun, self._claims(token, await self._got(known["jwks_uri"]), begun.nonce)

    def _token(self, endpoint: str, code: str, verifier: str) -> str:
        """The id token for a code; the issuer is asked directly, so nobody is in between."""
        try:
            given = self._client().fetch_token(
                endpoint, code=code, code_verifier=verifier, timeout=ANSWER_SECONDS
            )
        except AuthlibBaseError as error:
            raise Refused(f"{self.oidc.issuer} did not take the code: {error.error}") from error
        except (requests.RequestException, ValueError) as error:
            raise Unavailable(f"{self.oidc.issuer} does not answer as it should") from error
        return str(given.get("id_token", ""))

    def _claims(self, token: str, keys: Any, nonce: str) -> dict[str, Any]:
        """Signed by the issuer, for us, now, and for this very sign-in."""
        wanted = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": self.oidc.issuer},
            aud={"essential": True, "value": self.oidc.client_id},
            nonce={"essential": True, "value": nonce},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
        )
        try:
            claims = jwt.decode(token, KeySet.import_key_set(keys), algorithms=ALGORITHMS).claims
            wanted.validate(claims)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise Refused(
                f"the answer of {self.oidc.issuer} does not prove who you are:"
                f" {type(error).__name__}"
            ) from error
        others = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if others and claims.get("azp") != self.oidc.client_id:
            raise Refused("the answer was given to another application")
        return claims

    async def _known(self) -> Any:
        place = f"{self.oidc.issuer.rstrip('/')}/.well-known/openid-configuration"
        known = await self._got(place)
        if known.get("issuer") != self.oidc.issuer:
            raise Refused(f"{place} speaks for another issuer")
        return known

    async def _got(self, url: str) -> Any:
        try:
            async with httpx.AsyncClient(timeout=ANSWER_SECONDS) as client:
                answer = (await client.get(url)).raise_for_status()
            return answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise Unavailable(f"{url} does not answer as it should") from error

    def _client(self) -> OAuth2Session:
        return OAuth2Session(
            self.oidc.client_id,
            self.oidc.client_secret or None,
            scope="openid email",
            redirect_uri=self.callback,
            code_challenge_method="S256",
        )


def router(oidc: Oidc, origin: str) -> APIRouter:
    """Two pages: the way to the issuer and the way back."""
    issuer, routes = Issuer(oidc, f"{origin}/gate/oidc/callback"), APIRouter(prefix="/gate/oidc")

    @routes.get("/start")
    async def start(request: Request) -> Response:
        gate = gate_of(request)
        may_try(request)
        browser = request.cookies.get(gate.form_cookie) or gate.forms.browser()
        wanted = local(request.query_params.get("next", ""))
        answer = RedirectResponse(await issuer.start(browser, wanted), 303)
        gate.give(answer, gate.form_cookie, browser)
        return answer

    @routes.get("/callback")
    async def callback(request: Request) -> Response:
        gate = gate_of(request)
        browser = request.cookies.get(gate.form_cookie, "")
        begun, claims = await issuer.ended(browser, request.query_params)
        said = (oidc.issuer, str(claims["sub"]), str(claims.get("email", "")))
        person = await run_in_threadpool(gate.people.from_oidc, *said)
        if person is None:
            raise HTTPException(
                403, f"{said[2] or said[1]} of {oidc.issuer} belongs to nobody here yet;"
                " an admin can link it",
            )  # fmt: skip
        beginning = gate.people.begin
        session = await run_in_threadpool(beginning, person.name, "oidc", address(request))
        return with_session(request, session, begun.wanted)

    return routes
