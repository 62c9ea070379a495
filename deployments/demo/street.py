"""The world around the sample shop: the simulators of its marketplaces, and the customers."""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import httpx
import psycopg

from blocks.shop import Live
from deployments.settings import write_secret
from deployments.stack import Stack
from deployments.stack.processes import wait_for
from examples.customers import CATALOGUE
from examples.marketplace import amazon, shopee

RATE = 120
START_SECONDS = 30.0
SETTLED_SECONDS = 60.0


@dataclass(frozen=True)
class Audit:
    """Orders that customers were promised, against those in the shop's database."""

    taken: int
    lost: int
    doubled: int


class Street:
    """Processes of the stack, so that they end with it."""

    def __init__(self, live: Live, stack: Stack) -> None:
        self.live = live
        self.stack = stack
        self.diary = live.state / "customers.jsonl"
        self._folder = live.state / "marketplace"
        channels = live.shop.environments["production"].channels
        self._kinds = {name: channel.kind for name, channel in channels.items()}

    def open_marketplaces(self) -> None:
        """A simulator for every channel, with the catalogue's stock; keeps the secrets."""
        if not self._kinds:
            return
        ready = self._folder / "ready.json"
        self._folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "examples.marketplace", "--quick", "--ready", str(ready)]
        self.stack.start("marketplace", [*command, *sorted(set(self._kinds.values()))], {})
        log = self.live.state / "logs" / "marketplace.log"
        wait_for("the marketplaces", ready.exists, START_SECONDS, log)
        ports = json.loads(ready.read_text())["ports"]
        places = {name: f"http://127.0.0.1:{ports[kind]}" for name, kind in self._kinds.items()}
        self._keep(places)
        stock = {one["sku"]: one["channel"] for one in json.loads(CATALOGUE.read_text())}
        for name in places:
            self._simulator(name, "POST", "stock", stock)

    def _keep(self, places: Mapping[str, str]) -> None:
        """One file for the shop, and each value for itself for Tradewind."""
        accounts = {name: account(self._kinds[name], place) for name, place in places.items()}
        write_secret(self._folder / "accounts.json", json.dumps(accounts))
        for name, place in places.items():
            for field, value in {"endpoint": place, **credentials(self._kinds[name])}.items():
                write_secret(self._folder / name / field, value)

    def open_doors(self) -> None:
        """Customers come from now on, to every host of production alike."""
        ports = [host.observe().listeners["storefront"] for host in self.live.hosts("production")]
        doors = [f"http://127.0.0.1:{port}" for port in ports]
        command = [sys.executable, "-m", "examples.customers", "--rate", str(RATE)]
        places = [f"{name}={self._endpoint(name)}" for name in self._kinds]
        addresses = ("--storefront", *doors, "--marketplace", *places)
        self.stack.start("customers", [*command, *addresses, "--diary", str(self.diary)], {})
        log = self.live.state / "logs" / "customers.log"
        wait_for("the first customer", lambda: bool(self.seen()), START_SECONDS, log)

    def close_doors(self) -> None:
        self.stack.stop("customers")

    def seen(self, begin: float = 0, end: float = float("inf")) -> list[dict[str, Any]]:
        """The diary's lines of a time, in seconds since 1970."""
        if not self.diary.exists():
            return []
        lines = map(json.loads, self.diary.read_text().splitlines())
        return [line for line in lines if begin <= line["at"] < end]

    def settle(self) -> None:
        """Waits until every marketplace order is in the shop; what stays away is lost."""
        log = self.live.state / "logs" / "marketplace.log"
        try:
            wait_for("order-sync", lambda: not self._missing(), SETTLED_SECONDS, log)
        except Exception as error:
            print(error, file=sys.stderr)

    def audit(self, lines: Iterable[dict[str, Any]]) -> Audit:
        """Of the orders in these lines, each must be in the shop exactly once."""
        bought = [line for line in lines if line["outcome"] == "ok" and line["order"]]
        kept = Counter(self._kept())
        names = [
            (line.get("channel", "storefront"), line["key"] or line["order"]) for line in bought
        ]
        return Audit(
            len(names),
            sum(kept[name] == 0 for name in names),
            sum(kept[name] > 1 for name in names),
        )

    def _missing(self) -> set[tuple[str, str]]:
        sold = {
            (name, order["order_id"])
            for name in self._kinds
            for order in self._simulator(name, "GET", "orders")
        }
        return sold - set(self._kept())

    def _kept(self) -> list[tuple[str, str]]:
        """(channel, the name its customer knows) of production's orders, as often as they are."""
        with psycopg.connect(self.live.database_url("production")) as connection:
            rows = connection.execute(
                "SELECT channel, coalesce(idempotency_key, channel_order_id) FROM orders"
            ).fetchall()
        return [(row[0], row[1]) for row in rows]

    def _endpoint(self, channel: str) -> str:
        return (self._folder / channel / "endpoint").read_text()

    def _simulator(self, channel: str, method: str, name: str, body: Any = None) -> Any:
        address = f"{self._endpoint(channel)}/_simulator/{name}"
        answer = httpx.request(method, address, json=body, timeout=START_SECONDS)
        return answer.raise_for_status().json()


def credentials(kind: str) -> dict[str, str]:
    """Tradewind's at a simulator, by the names of its fields."""
    found: dict[str, str] = import_module(f"examples.marketplace.{kind}").CLIENT
    return found


def account(kind: str, endpoint: str) -> dict[str, str]:
    """The shop's own: the same, but an app of its own where tokens are good for one use."""
    found = {"kind": kind, "endpoint": endpoint, **credentials(kind)}
    if kind == "amazon":
        found |= {"token_endpoint": endpoint, "marketplace": amazon.MARKETPLACE}
    return found | (shopee.SHOPS_APP if kind == "shopee" else {})
