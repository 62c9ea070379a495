"""Marketplace accounts as Prefect blocks: they hold references, and hand out a client for them."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from prefect.blocks.core import Block
from pydantic import Field

from blocks.channels import ChannelClient
from blocks.channels.amazon import AmazonAccess, AmazonClient
from blocks.channels.calls import Budget
from blocks.channels.ebay import EbayAccess, EbayClient
from blocks.channels.kept import KeptFile
from blocks.channels.magento import MagentoAccess, MagentoClient
from blocks.channels.shopee import ShopeeAccess, ShopeeClient
from blocks.channels.shopify import ShopifyAccess, ShopifyClient
from domain.account import Channel

Resolve = Callable[[str], str]


class ChannelAccount(Block):
    """What all of them have; no field ever holds a resolved secret."""

    _access: ClassVar[type[Any]]
    _client: ClassVar[Callable[..., ChannelClient]]

    endpoint: str = Field(default="", title="API endpoint")
    time_zone: str = Field(default="UTC", title="The marketplace's local day (IANA)")
    budget_share: float = Field(default=0.5, title="Tradewind's share of the official rates")
    wait_seconds: float = Field(default=60, title="How long a call may wait for its turn (s)")

    @classmethod
    def of(cls, channel: Channel) -> Self:
        """From shop.yaml, references as they stand there."""
        stated = asdict(channel)
        del stated["kind"]
        return cls(**stated)

    def client(self, resolved: Resolve, budget: Budget, folder: Path) -> ChannelClient:
        """Asks within ``budget`` and keeps in ``folder`` what must not be lost.

        Raises BadInput for a reference that leads nowhere.
        """
        access = self._access(**self._settings(resolved), **self._kept(folder))
        return type(self)._client(access, budget, wait_seconds=self.wait_seconds)

    def _settings(self, resolved: Resolve) -> dict[str, Any]:
        """The fields that the client's own settings have too, by the same names."""
        names = {one.name for one in fields(self._access)} & set(type(self).model_fields)
        held = {name: getattr(self, name) for name in names}
        return {name: resolved(one) if isinstance(one, str) else one for name, one in held.items()}

    def _kept(self, folder: Path) -> dict[str, Any]:
        """The settings that say where something is kept."""
        return {}


class AmazonAccount(ChannelAccount):
    """One Amazon seller account in one marketplace."""

    _block_type_name = "Amazon account"
    _block_type_slug = "tradewind-amazon-account"
    _description = "Reads stock and orders of an Amazon seller account through SP-API."
    _access = AmazonAccess
    _client = AmazonClient

    token_endpoint: str = Field(default="", title="Login with Amazon endpoint")
    marketplace: str = Field(default="", title="Marketplace id")
    client_id: str = Field(default="", title="Client id")
    client_secret: str = Field(default="", title="Client secret (a reference)")
    refresh_token: str = Field(default="", title="Refresh token (a reference)")
    fulfilment: Literal["amazon", "merchant"] = Field(default="amazon", title="Whose stock")
    seller_id: str = Field(default="", title="Seller id")


class EbayAccount(ChannelAccount):
    """One eBay seller."""

    _block_type_name = "eBay account"
    _block_type_slug = "tradewind-ebay-account"
    _description = "Reads stock and orders of an eBay seller through the Sell APIs."
    _access = EbayAccess
    _client = EbayClient

    client_id: str = Field(default="", title="Client id")
    client_secret: str = Field(default="", title="Client secret (a reference)")
    refresh_token: str = Field(default="", title="Refresh token (a reference)")


class ShopeeAccount(ChannelAccount):
    """One Shopee shop."""

    _block_type_name = "Shopee account"
    _block_type_slug = "tradewind-shopee-account"
    _description = "Reads stock and orders of a Shopee shop through the Open Platform."
    _access = ShopeeAccess
    _client = ShopeeClient

    partner_id: str = Field(default="", title="Partner id")
    partner_key: str = Field(default="", title="Partner key (a reference)")
    shop_id: str = Field(default="", title="Shop id")
    refresh_token: str = Field(default="", title="First refresh token (a reference)")

    def _kept(self, folder: Path) -> dict[str, Any]:
        return {"tokens": KeptFile(folder / "tokens.json")}


class ShopifyAccount(ChannelAccount):
    """One Shopify shop."""

    _block_type_name = "Shopify account"
    _block_type_slug = "tradewind-shopify-account"
    _description = "Reads stock and orders of a Shopify shop through the Admin API."
    _access = ShopifyAccess
    _client = ShopifyClient

    location_id: str = Field(default="", title="Location whose stock is pushed")
    client_id: str = Field(default="", title="Client id")
    client_secret: str = Field(default="", title="Client secret (a reference)")
    access_token: str = Field(default="", title="Access token (a reference)")
    bulk_rows: int = Field(default=2000, title="Rows above which a bulk operation reads")


class MagentoAccount(ChannelAccount):
    """One Magento or Adobe Commerce store."""

    _block_type_name = "Magento account"
    _block_type_slug = "tradewind-magento-account"
    _description = "Reads stock and orders of a Magento store through REST."
    _access = MagentoAccess
    _client = MagentoClient

    store: str = Field(default="default", title="Store view")
    website: str = Field(default="base", title="Website whose salable stock is read")
    source: str = Field(default="default", title="Source whose units are pushed")
    username: str = Field(default="", title="User name")
    password: str = Field(default="", title="Password (a reference)")
    token: str = Field(default="", title="Integration's token (a reference)")


ACCOUNTS: Mapping[str, type[ChannelAccount]] = {
    "amazon": AmazonAccount,
    "ebay": EbayAccount,
    "shopee": ShopeeAccount,
    "shopify": ShopifyAccount,
    "magento": MagentoAccount,
}
"""By the kind of a channel."""


def account_of(channel: Channel) -> ChannelAccount:
    """The block for a channel of shop.yaml."""
    return ACCOUNTS[channel.kind].of(channel)
