"""Where the gateway listens and how people prove who they are, as ``shop.yaml`` says it."""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from domain.fields import STRICT, Range, Seconds

USUAL_PORTS = {"http": ":80", "https": ":443"}
LOCAL = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Oidc:
    """A company's own sign-in: the issuer's address, and what it knows this gateway by."""

    __pydantic_config__ = STRICT
    issuer: str
    client_id: str
    client_secret: str


@dataclass(frozen=True)
class GatewaySettings:
    """``public_url`` is what people type; it must be https unless it is on this machine.

    ``behind_proxy`` believes the last address of X-Forwarded-For, which only an own proxy may set.
    ``factor_seconds`` is how long a second factor stays fresh.
    """

    __pydantic_config__ = STRICT
    public_url: str
    port: Annotated[int, Range(1, 65_535)]
    address: str = "127.0.0.1"
    tls_certificate: str = ""
    tls_key: str = ""
    behind_proxy: bool = False
    oidc: Oidc | None = None
    factor_seconds: Seconds = 300

    @property
    def https(self) -> bool:
        return urlsplit(self.public_url).scheme == "https"

    @property
    def origin(self) -> str:
        """Scheme, host and port, as a browser writes them: in small letters, no usual port."""
        url = urlsplit(self.public_url.lower())
        host = url.netloc.removesuffix(USUAL_PORTS.get(url.scheme, ""))
        return f"{url.scheme}://{host}"

    @property
    def hosts(self) -> tuple[str, ...]:
        """What a request's Host may say: the public name, or the address listened on."""
        return urlsplit(self.origin).netloc, f"{self.address}:{self.port}"


def objections(settings: GatewaySettings) -> tuple[str, ...]:
    """What does not go together; each names the field, its value and the limit."""
    url = urlsplit(settings.public_url)
    found = (
        (
            url.scheme not in ("http", "https") or not url.netloc or url.path not in ("", "/"),
            f"gateway.public_url is {settings.public_url!r}: a scheme and a host, with no path",
        ),
        (
            url.scheme == "http" and url.hostname not in LOCAL,
            f"gateway.public_url is {settings.public_url!r}: https, except on this machine",
        ),
        (
            bool(settings.tls_certificate) != bool(settings.tls_key),
            "gateway.tls_certificate and gateway.tls_key: both or none",
        ),
    )
    return tuple(sentence for wrong, sentence in found if wrong)
