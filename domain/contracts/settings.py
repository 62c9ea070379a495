"""What ``shop.yaml`` says of contracts: where each API's specification is, and when it is read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from domain.fields import STRICT, Seconds

SurfaceName = Literal[
    "amazon-fba-inventory",
    "amazon-listings",
    "amazon-orders",
    "ebay-analytics",
    "ebay-fulfillment",
    "ebay-inventory",
    "magento",
    "shopee",
    "shopify",
]


@dataclass(frozen=True)
class Source:
    """A specification: a URL, or a file beside shop.yaml; JSON or YAML, also compressed by gzip.

    ``surface`` is what is used of it, ``next`` the specification of the version to come.
    """

    __pydantic_config__ = STRICT
    surface: SurfaceName
    at: str
    next: str = ""


@dataclass(frozen=True)
class Feed:
    """An RSS feed of deprecations of a channel's APIs."""

    __pydantic_config__ = STRICT
    channel: Literal["amazon", "ebay", "magento", "shopee", "shopify"]
    at: str


@dataclass(frozen=True)
class Contracts:
    """What is read at ``cron`` in ``time_zone``; nobody is waited for longer than a timeout."""

    __pydantic_config__ = STRICT
    sources: Mapping[str, Source] = field(default_factory=dict)
    feeds: Mapping[str, Feed] = field(default_factory=dict)
    cron: str = "30 1 * * *"
    time_zone: str = "UTC"
    timeout_seconds: Seconds = 60
