"""Shopee's tokens: each refresh token is good for one use, so its successor is kept at once."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import httpx

from blocks.channels.login import MARGIN_SECONDS, Granted, Login
from blocks.channels.shopee.signing import ShopeeAccess, error_of, signed
from domain.errors import BadInput, Unavailable

PATH = "/api/v2/auth/access_token/get"
FIELDS = {"sign": "partner_key", "partner": "partner_id", "shop": "shop_id"}
"""By a word of Shopee's message; anything else is about the refresh token."""
BLAMED = ("error_auth", "error_sign", "error_param", "error_permission", "invalid_")
"""Beginnings of the errors that are about what was sent."""


@dataclass(frozen=True)
class Tokens:
    """As they are kept; the access token is good ``until`` then (epoch seconds)."""

    access_token: str = ""
    refresh_token: str = ""
    until: float = 0


@dataclass
class Session:
    """The access token of one shop, the same one in all processes that keep it in one place."""

    access: ShopeeAccess
    http: httpx.Client
    now: Callable[[], datetime]
    pause: Callable[[float], None]
    _tokens: Tokens = field(default_factory=Tokens)
    _refused: str = ""

    def access_token(self) -> str:
        """Raises BadInput for credentials that are refused, Unavailable, Incomplete as Login."""
        if not self._good(self._tokens):
            with self.access.tokens.alone():
                kept = Tokens(**json.loads(self.access.tokens.load() or "{}"))
                self._tokens = kept if self._good(kept) else self._renewed(kept)
        return self._tokens.access_token

    def forget(self, token: str) -> None:
        """It was refused, whatever its time: another one is needed."""
        self._refused = token

    def _good(self, tokens: Tokens) -> bool:
        in_time = self.now().timestamp() < tokens.until
        return in_time and tokens.access_token != self._refused

    def _renewed(self, kept: Tokens) -> Tokens:
        """By the kept refresh token, or by the seller's own after a new authorisation."""
        first, *others = dict.fromkeys(
            filter(None, (kept.refresh_token, self.access.refresh_token))
        )
        try:
            return self._granted_for(first)
        except BadInput:
            if not others:
                raise
        return self._granted_for(others[0])

    def _granted_for(self, refresh_token: str) -> Tokens:
        body = {
            "refresh_token": refresh_token, "partner_id": int(self.access.partner_id),
            "shop_id": int(self.access.shop_id),
        }  # fmt: skip
        Login(
            self.access.endpoint,
            lambda: self.http.post(PATH, params=signed(self.access, PATH, self.now()), json=body),
            self._granted, self.now, self.pause,
        ).access_token()  # fmt: skip
        return Tokens(**json.loads(self.access.tokens.load()))

    def _granted(self, answer: httpx.Response) -> Granted:
        """Keeps what was granted before anybody uses it."""
        error, message = error_of(answer)
        if error or not answer.is_success:
            raise self._refusal(error, message or f"status {answer.status_code}")
        found: dict[str, Any] = answer.json()
        lives = float(found["expire_in"])
        until = self.now().timestamp() + max(lives - MARGIN_SECONDS, lives / 2)
        granted = Tokens(found["access_token"], found["refresh_token"], until)
        self.access.tokens.save(json.dumps(asdict(granted)))
        return Granted(granted.access_token, lives)

    def _refusal(self, error: str, message: str) -> BadInput | Unavailable:
        endpoint = self.access.endpoint
        if not error.startswith(BLAMED) or "timestamp" in message.lower():
            return Unavailable(f"{endpoint} gave no token: {error} {message}")
        words = (name for word, name in FIELDS.items() if word in f"{error} {message}".lower())
        return BadInput(f"{next(words, 'refresh_token')} was refused by {endpoint}: {error}")
