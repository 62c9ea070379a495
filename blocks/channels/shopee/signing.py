"""Who asks Shopee: every call is signed, and says no in its body as often as by its status."""

import hmac
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

import httpx

from blocks.channels.kept import Store
from domain.errors import BadInput


@dataclass(frozen=True)
class ShopeeAccess:
    """One shop; ``refresh_token`` is the seller's first one, ``tokens`` keeps its successors.

    Raises BadInput when an id is not a number.
    """

    endpoint: str
    partner_id: str
    shop_id: str
    partner_key: str = field(repr=False)
    refresh_token: str = field(repr=False)
    tokens: Store = field(repr=False)

    def __post_init__(self) -> None:
        for name in ("partner_id", "shop_id"):
            if not getattr(self, name).isdecimal():
                raise BadInput(f"{name} is {getattr(self, name)!r}: a number is needed")


def signed(access: ShopeeAccess, path: str, now: datetime, token: str = "") -> dict[str, str]:
    """The parameters that all calls have; a call for the shop has its ``token`` as well.

    Good for 5 minutes. https://open.shopee.com/developer-guide/16
    """
    moment = str(int(now.timestamp()))
    shop = {"access_token": token, "shop_id": access.shop_id} if token else {}
    base = "".join((access.partner_id, path, moment, *shop.values()))
    sign = hmac.new(access.partner_key.encode(), base.encode(), sha256).hexdigest()
    return {"partner_id": access.partner_id, "timestamp": moment, "sign": sign, **shop}


def error_of(answer: httpx.Response) -> tuple[str, str]:
    """Its code and message, empty when there is none; some operations say "-" for no error."""
    try:
        body = answer.json()
    except ValueError:
        return "", ""
    if not isinstance(body, dict):
        return "", ""
    return str(body.get("error") or "").strip(" -"), str(body.get("message") or "").strip(" -")


def is_about_the_token(error: str, message: str) -> bool:
    """Whether the access token was refused; one of the codes is misspelt."""
    return "access_token" in f"{error} {message}".replace("acceess", "access").lower()
