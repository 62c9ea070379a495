"""What every part of the gateway works with; made once, kept with the app."""

from dataclasses import dataclass, field

from starlette.responses import Response

from blocks.people import People, Tokens
from deployments.gateway.forms import Forms
from deployments.gateway.hooks import Hooks
from deployments.gateway.prefect import Prefect
from deployments.gateway.rates import Rate
from domain.access.gateway import GatewaySettings

SESSION = "tradewind"


@dataclass(frozen=True)
class Behind:
    """What stands behind the gateway: a shop, its way to customers, and its Prefect."""

    prefect_url: str
    shop: str
    route: tuple[str, ...]
    services: tuple[str, ...]
    prefect_auth: str = field(default="", repr=False)


def _signing_in() -> Rate:
    return Rate(burst=10, per_second=0.2)


def _changing() -> Rate:
    return Rate(burst=60, per_second=2)


@dataclass(frozen=True)
class Gate:
    """``signing_in`` counts attempts per address, ``changing`` what people and tokens change."""

    settings: GatewaySettings
    people: People
    tokens: Tokens
    behind: Behind
    hooks: Hooks
    prefect: Prefect
    forms: Forms = field(default_factory=Forms)
    signing_in: Rate = field(default_factory=_signing_in)
    changing: Rate = field(default_factory=_changing)

    @property
    def session_cookie(self) -> str:
        return cookie_name(self.settings, SESSION)

    @property
    def form_cookie(self) -> str:
        return cookie_name(self.settings, "tradewind-form")

    def give(self, answer: Response, cookie: str, value: str) -> None:
        """A cookie of ours: for this host alone, unreadable for scripts, gone with the browser."""
        secure = self.settings.https
        answer.set_cookie(cookie, value, path="/", secure=secure, httponly=True, samesite="lax")

    def take(self, answer: Response, cookie: str) -> None:
        secure = self.settings.https
        answer.delete_cookie(cookie, path="/", secure=secure, httponly=True, samesite="lax")


def cookie_name(settings: GatewaySettings, name: str) -> str:
    """With the prefix that binds it to this very host, where browsers accept that: over https."""
    return f"__Host-{name}" if settings.https else name
