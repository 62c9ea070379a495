"""Five marketplaces over HTTP at a simulated clock, and Tradewind's own clients for them."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Any

import uvicorn

from blocks.channels import ChannelClient
from blocks.channels.kept import KeptFile
from domain.channel import Rate
from examples.marketplace.__main__ import by_port, opened
from examples.marketplace.account import Account
from examples.marketplace.faults import Faults
from examples.marketplace.market import Api, Market
from examples.marketplace.server import application
from tests.campaigns.checks.storefront import storefront

CHANNELS: Mapping[str, tuple[str, str]] = {
    "amazon-us": ("amazon", "USD"),
    "ebay-us": ("ebay", "USD"),
    "shopee-sg": ("shopee", "SGD"),
    "shopify-own": ("shopify", "JPY"),
    "magento-eu": ("magento", "EUR"),
}
"""Each channel's kind and currency."""

PACE = 10_000.0
FOREVER_SECONDS = 10 * 365 * 86_400.0
STOP_SECONDS = 10


@dataclass
class Clock:
    """Everybody's; only the campaign turns it."""

    at: datetime = datetime(2026, 11, 2, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at


class Plenty:
    """A budget that is never spent: rates are not what is tried here."""

    def spend(self, operation: str, rate: Rate, cost: float, wait_seconds: float) -> bool:
        return True


@dataclass
class Street:
    """One process serves them all; an account is emptied for every run."""

    clock: Clock
    apis: Mapping[str, Api]
    clients: Mapping[str, ChannelClient]
    storefront: str
    accounts: dict[str, Account] = field(default_factory=dict)

    def market(self, channel: str) -> Market:
        return self.apis[channel].market

    def empty(self, now: datetime) -> None:
        self.clock.at = now
        for channel in CHANNELS:
            market = self.market(channel)
            market.faults = Faults()
            market.buckets.clear()
            for kept in (market.account.orders, market.account.levels, market.account.added):
                kept.clear()
            self.accounts[channel] = market.account


@contextmanager
def served(shop_url: str, folder: Path) -> Iterator[Street]:
    """On ports of 127.0.0.1, in a thread of this process; the storefront beside them.

    Clients keep in ``folder`` what has to outlive them.
    """
    clock = Clock()
    names = (*CHANNELS, "storefront")
    listening = {name: socket.create_server(("127.0.0.1", 0)) for name in names}
    ports = {name: one.getsockname()[1] for name, one in listening.items()}
    apis = {
        name: opened(kind, Market(clock, pace=PACE, token_seconds=FOREVER_SECONDS))
        for name, (kind, _) in CHANNELS.items()
    }
    together = by_port({
        ports["storefront"]: storefront(shop_url),
        **{ports[name]: application(api) for name, api in apis.items()},
    })  # fmt: skip
    config = uvicorn.Config(
        together, log_level="error", access_log=False, date_header=False, lifespan="off"
    )
    server = uvicorn.Server(config)
    thread = Thread(target=server.run, args=(list(listening.values()),), daemon=True)
    thread.start()
    try:
        urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
        tokens = KeptFile(folder / "tokens.json")
        clients = {
            name: client(kind, {"endpoint": urls[name], "tokens": tokens}, clock)
            for name, (kind, _) in CHANNELS.items()
        }
        yield Street(clock, apis, clients, urls["storefront"])
    finally:
        server.should_exit = True
        thread.join(STOP_SECONDS)
        for one in listening.values():
            one.close()


def client(kind: str, place: Mapping[str, Any], clock: Clock) -> ChannelClient:
    """Tradewind's client of that kind with the simulator's demo credentials."""
    there = import_module(f"blocks.channels.{kind}")
    simulated = import_module(f"examples.marketplace.{kind}")
    access = getattr(there, f"{kind.capitalize()}Access")
    given = {
        **place,
        **simulated.CLIENT,
        "token_endpoint": place["endpoint"],
        "marketplace": getattr(simulated, "MARKETPLACE", ""),
    }
    known = {one.name: given[one.name] for one in fields(access) if one.name in given}
    made: ChannelClient = getattr(there, f"{kind.capitalize()}Client")(
        access(**known), Plenty(), now=clock, pause=lambda seconds: None
    )
    return made
