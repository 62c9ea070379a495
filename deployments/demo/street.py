"""The world around the sample shop: the marketplace's simulator and the customers."""

import json
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import httpx
import psycopg

from blocks.shop import Live
from deployments.settings import write_secret
from deployments.stack import Stack
from deployments.stack.processes import wait_for
from examples.customers import CATALOGUE
from examples.marketplace.api import CLIENT

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
        self._ready = live.state / "marketplace" / "ready.json"

    def open_marketplace(self) -> None:
        """Starts the simulator with the catalogue's stock, and stores its account's secrets."""
        self._ready.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "examples.marketplace", "--quick"]
        self.stack.start("marketplace", [*command, "--ready", str(self._ready)], {})
        log = self.live.state / "logs" / "marketplace.log"
        wait_for("the marketplace", self._ready.exists, START_SECONDS, log)
        port = json.loads(self._ready.read_text())["port"]
        write_secret(self._ready.with_name("endpoint"), f"http://127.0.0.1:{port}")
        for name, value in CLIENT.items():
            write_secret(self._ready.with_name(name), value)
        stock = {one["sku"]: one["channel"] for one in json.loads(CATALOGUE.read_text())}
        self._simulator("POST", "stock", stock)

    def open_doors(self) -> None:
        """Customers come from now on, to every host of production alike."""
        ports = [host.observe().listeners["storefront"] for host in self.live.hosts("production")]
        doors = [f"http://127.0.0.1:{port}" for port in ports]
        command = [sys.executable, "-m", "examples.customers", "--rate", str(RATE)]
        addresses = ("--storefront", *doors, "--marketplace", self._endpoint())
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
        names = [line["key"] or line["order"] for line in bought]
        return Audit(
            len(names),
            sum(kept[name] == 0 for name in names),
            sum(kept[name] > 1 for name in names),
        )

    def _missing(self) -> set[str]:
        sold = {order["order_id"] for order in self._simulator("GET", "orders")}
        return sold - set(self._kept())

    def _kept(self) -> list[str]:
        """Every order in production by the name its customer knows, as often as it is there."""
        with psycopg.connect(self.live.database_url("production")) as connection:
            rows = connection.execute(
                "SELECT coalesce(idempotency_key, channel_order_id) FROM orders"
            ).fetchall()
        return [row[0] for row in rows]

    def _endpoint(self) -> str:
        return self._ready.with_name("endpoint").read_text()

    def _simulator(self, method: str, name: str, body: Any = None) -> Any:
        address = f"{self._endpoint()}/_simulator/{name}"
        answer = httpx.request(method, address, json=body, timeout=START_SECONDS)
        return answer.raise_for_status().json()
