"""Tokens of the gateway's own forms: bound to the browser, good for this process's life."""

import hmac
import secrets
from dataclasses import dataclass, field
from hashlib import sha256


@dataclass(frozen=True)
class Forms:
    """``browser`` is a random value in a cookie; a token only fits forms of that browser."""

    key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    def browser(self) -> str:
        return secrets.token_urlsafe(32)

    def token(self, browser: str) -> str:
        return hmac.new(self.key, browser.encode(), sha256).hexdigest()

    def fits(self, browser: str, token: str) -> bool:
        return bool(browser) and hmac.compare_digest(self.token(browser), token)
