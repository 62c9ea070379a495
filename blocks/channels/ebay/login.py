"""eBay's two tokens: the seller's for what is sold, the app's own for its limits."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import httpx

from blocks.channels.calls import Call
from blocks.channels.login import Granted, Login
from domain.errors import BadInput

TOKEN = "/identity/v1/oauth2/token"  # noqa: S105
OF_THE_APP = "analytics"
"""The operation that takes the app's token."""
SCOPE = "https://api.ebay.com/oauth/api_scope"


@dataclass(frozen=True)
class EbayAccess:
    """One seller who has let the app in; ``client_id`` and ``client_secret`` are the app's."""

    endpoint: str
    client_id: str
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)


class Logins:
    """Source: https://developer.ebay.com/api-docs/static/oauth-tokens.html"""

    def __init__(
        self, access: EbayAccess, http: httpx.Client, now: Callable[[], datetime],
        pause: Callable[[float], None],
    ) -> None:  # fmt: skip
        keys = (access.client_id, access.client_secret)

        def login(form: Mapping[str, str]) -> Login:
            return Login(
                access.endpoint, lambda: http.post(TOKEN, data=form, auth=keys),
                lambda answer: _granted(answer, access.endpoint), now, pause,
            )  # fmt: skip

        self._seller = login({"grant_type": "refresh_token", "refresh_token": access.refresh_token})
        self._app = login({"grant_type": "client_credentials", "scope": SCOPE})

    def headers(self, call: Call) -> dict[str, str]:
        login = self._app if call.operation == OF_THE_APP else self._seller
        return {"Authorization": f"Bearer {login.access_token()}"}

    def forget(self) -> None:
        """One of them was refused, it is not said which."""
        self._seller.forget()
        self._app.forget()


def _granted(answer: httpx.Response, endpoint: str) -> Granted:
    found = answer.json()
    if not answer.is_success:
        refused = {"invalid_grant": "refresh_token"}
        name = refused.get(found.get("error", ""), "client_id or client_secret")
        raise BadInput(f"{name} was refused by {endpoint}")
    return Granted(found["access_token"], found["expires_in"])
