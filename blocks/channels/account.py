"""A marketplace account as a Prefect block: it owns the credentials and hands out a client."""

from collections.abc import Callable

from prefect.blocks.core import Block
from pydantic import Field, SecretStr

from blocks.channels.amazon import AmazonClient, Credentials
from domain.shop import Channel


class AmazonAccount(Block):
    """One Amazon seller account in one marketplace."""

    _block_type_name = "Amazon account"
    _block_type_slug = "tradewind-amazon-account"
    _description = "Reads stock and orders of an Amazon seller account through SP-API."

    endpoint: str = Field(default="", title="SP-API endpoint")
    token_endpoint: str = Field(default="", title="Login with Amazon endpoint")
    marketplace: str = Field(default="", title="Marketplace id")
    client_id: str = Field(default="", title="Client id")
    client_secret: SecretStr = Field(default=SecretStr(""), title="Client secret")
    refresh_token: SecretStr = Field(default=SecretStr(""), title="Refresh token")

    @classmethod
    def of(cls, channel: Channel, resolved: Callable[[str], str]) -> "AmazonAccount":
        """From shop.yaml, with every reference ``resolved``."""
        return cls(
            endpoint=resolved(channel.endpoint),
            token_endpoint=resolved(channel.token_endpoint),
            marketplace=resolved(channel.marketplace),
            client_id=resolved(channel.client_id),
            client_secret=SecretStr(resolved(channel.client_secret)),
            refresh_token=SecretStr(resolved(channel.refresh_token)),
        )

    def client(self) -> AmazonClient:
        return AmazonClient(
            self.endpoint,
            self.token_endpoint,
            self.marketplace,
            Credentials(
                self.client_id,
                self.client_secret.get_secret_value(),
                self.refresh_token.get_secret_value(),
            ),
        )
