"""An access token: asked for when one is needed, renewed before it ends or when it was refused."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx

from blocks.channels.reading import Incomplete
from blocks.redaction import learn
from domain.errors import Unavailable

MARGIN_SECONDS = 60.0
ATTEMPTS = 4
PAUSE_SECONDS = 0.5
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Granted:
    """A token and how long it lives from now."""

    token: str
    lives_seconds: float


@dataclass
class Login:
    """``send`` asks ``host`` for a token, ``read`` takes it from an answer below 500.

    ``read`` raises BadInput for credentials that are refused; a host that is busy is asked again.
    """

    host: str
    send: Callable[[], httpx.Response]
    read: Callable[[httpx.Response], Granted]
    now: Callable[[], datetime]
    pause: Callable[[float], None]
    _token: str = ""
    _until: datetime = NEVER

    def access_token(self) -> str:
        """Raises BadInput, Unavailable when nobody answers, Incomplete when the host stays busy."""
        if self.now() >= self._until:
            granted = self.read(self._answer())
            learn(granted.token)
            lives = max(granted.lives_seconds - MARGIN_SECONDS, granted.lives_seconds / 2)
            self._token, self._until = granted.token, self.now() + timedelta(seconds=lives)
        return self._token

    def forget(self) -> None:
        """The token was refused: the next call asks for another."""
        self._until = NEVER

    def _answer(self) -> httpx.Response:
        for attempt in range(ATTEMPTS):
            answer = self._sent()
            if answer.status_code < 500 and answer.status_code != 429:
                return answer
            self.pause(PAUSE_SECONDS * 2**attempt)
        raise Incomplete(f"no token: {self.host} answered {answer.status_code}")

    def _sent(self) -> httpx.Response:
        try:
            return self.send()
        except httpx.TransportError as error:
            raise Unavailable(f"{self.host} does not answer: {error}") from error
