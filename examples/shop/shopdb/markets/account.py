"""One seller account over HTTP, with an access token that is renewed in time."""

import json
import time
from decimal import Decimal

import httpx

from shopdb.markets.levels import raised

LIMIT_SECONDS = 5
MARGIN_SECONDS = 60

_http = httpx.Client(timeout=LIMIT_SECONDS)


class Account:
    """A market's ``granted() -> (access token, seconds it lives)`` is asked when one is needed."""

    counts_itself = False

    def __init__(self, endpoint):
        self.endpoint = endpoint
        self._token, self._until = "", 0.0

    def token(self):
        if time.monotonic() >= self._until:
            self._token, lives = self.granted()
            self._until = time.monotonic() + max(lives - MARGIN_SECONDS, lives / 2)
        return self._token

    def asked(self, method, path, **content):
        """The answer's JSON, its fractions as Decimal."""
        try:
            answer = _http.request(method, self.endpoint + path, **content)
        except httpx.HTTPError as error:
            raise OSError(f"{method} {path}: {error}") from error
        if answer.status_code in (401, 403):
            self._until = 0.0
        if answer.is_error:
            raise OSError(f"{method} {path} answered {answer.status_code}")
        return json.loads(answer.content or "null", parse_float=Decimal)

    def raise_stock(self, units):
        """The new levels {sku: quantity}."""
        return raised(self, units) if units else {}


def chunks(names, size):
    """As many at once as a market takes."""
    names = list(names)
    return (names[at : at + size] for at in range(0, len(names), size))
