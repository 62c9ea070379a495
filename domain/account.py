"""The channels of ``shop.yaml``: one seller account each, with what its marketplace asks for.

Secrets are references (``${env:NAME}``, ``${file:PATH}``); they are resolved when used.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from domain.fields import STRICT, OneOf, Range, Seconds

OwnShare = Annotated[float, Range(0.01, 1)]


@dataclass(frozen=True, kw_only=True)
class Account:
    """What all of them have.

    ``time_zone`` is the marketplace's local day, ``budget_share`` how much of the official rates is
    Tradewind's (the rest is left to the seller's own programs), ``wait_seconds`` how long one call
    may wait for its turn.
    """

    __pydantic_config__ = STRICT
    endpoint: str
    time_zone: str = "UTC"
    budget_share: OwnShare = 0.5
    wait_seconds: Seconds = 60


@dataclass(frozen=True, kw_only=True)
class AmazonChannel(Account):
    """SP-API in one ``marketplace`` (its id); a merchant's own stock is found by ``seller_id``."""

    kind: Literal["amazon"]
    token_endpoint: str
    marketplace: str
    client_id: str
    client_secret: str
    refresh_token: str
    fulfilment: Literal["amazon", "merchant"] = "amazon"
    seller_id: str = ""


@dataclass(frozen=True, kw_only=True)
class EbayChannel(Account):
    """The Sell APIs for one seller, who let the app in with a ``refresh_token``."""

    kind: Literal["ebay"]
    client_id: str
    client_secret: str
    refresh_token: str


@dataclass(frozen=True, kw_only=True)
class ShopeeChannel(Account):
    """Open Platform v2; ``refresh_token`` is the first one, its successors are kept in the state.

    ``endpoint`` is the one near this machine: Singapore, Brazil or mainland China.
    """

    kind: Literal["shopee"]
    partner_id: str
    partner_key: str
    shop_id: str
    refresh_token: str


@dataclass(frozen=True, kw_only=True)
class ShopifyChannel(Account):
    """The Admin API of one shop; stock is pushed to ``location_id``.

    Either an ``access_token``, or the id and secret of an app. More than ``bulk_rows`` rows are
    read in bulk.
    """

    kind: Literal["shopify"]
    location_id: str = ""
    client_id: str = ""
    client_secret: str = ""
    access_token: str = ""
    bulk_rows: Annotated[int, Range(1, 1_000_000)] = 2000


@dataclass(frozen=True, kw_only=True)
class MagentoChannel(Account):
    """Adobe Commerce or Magento by REST: the salable stock of a ``website``, orders of a ``store``.

    A push sets the units of ``source``. Either an integration's ``token``, or an administrator's
    ``username`` and ``password``.
    """

    kind: Literal["magento"]
    store: str = "default"
    website: str = "base"
    source: str = "default"
    username: str = ""
    password: str = ""
    token: str = ""


Channel = Annotated[
    AmazonChannel | EbayChannel | ShopeeChannel | ShopifyChannel | MagentoChannel, OneOf()
]


def lacks(channel: Channel) -> str:
    """The field that this account needs for what it is ("" when it has it), and why."""
    match channel:
        case AmazonChannel(fulfilment="merchant", seller_id=""):
            return "seller_id is missing: a merchant's own stock is found by it"
        case ShopifyChannel(access_token="", client_id=name, client_secret=secret):
            if not (name and secret):
                return "access_token is missing: it or a client_id and a client_secret is needed"
        case MagentoChannel(token="", username=name, password=secret):
            if not (name and secret):
                return "token is missing: it or a username and a password is needed"
    return ""
