"""``python -m examples.customers``: strict customers of the storefront and of the marketplaces.

They never send a request twice, and write down how every single one ended, a JSON line each:
``at`` (seconds since 1970), ``what`` (page, checkout, marketplace), ``channel``, ``outcome`` and
``status``.
*dropped* means no answer or only a proxy's (502, 503, 504), *error* another 5xx of the shop.
"""

import argparse
import http.client
import json
import random
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit
from uuid import uuid4

CATALOGUE = Path(__file__).parent / "shop" / "shopdb" / "catalogue.json"
BUYERS = 16
PURCHASES_PER_SECOND = 3.0
CHECKOUT_SHARE = 0.3
REQUESTS_PER_SESSION = 20
ANSWER_SECONDS = 30.0
FROM_A_PROXY = (502, 503, 504)
CURRENCIES = {"shopee-sg": "SGD", "magento-eu": "EUR"}
"""Of channels that sell in another than the catalogue's, for the same figures."""


@dataclass(frozen=True)
class Wish:
    """One request and the statuses that are a good answer to it."""

    what: str
    method: str
    path: str
    good: tuple[int, ...]
    body: dict[str, Any] | None = None
    key: str = ""
    channel: str = "storefront"


class Diary:
    """What was sent and what came back; one line a request, complete lines only."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._turn = threading.Lock()

    def write(self, wish: Wish, outcome: str, status: int, order: str) -> None:
        line = {"at": time.time(), "what": wish.what, "channel": wish.channel}
        line |= {"outcome": outcome, "status": status, "key": wish.key, "order": order}
        with self._turn:
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()


class Buyer:
    """One person at a time on one connection, at a steady pace."""

    def __init__(self, address: str, diary: Diary, seconds_between: float) -> None:
        parts = urlsplit(address)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._diary = diary
        self._pace = seconds_between
        self._connection: http.client.HTTPConnection | None = None
        self._session, self._sent = "", 0

    def shop(self, wishes: Callable[[], Wish], over: threading.Event) -> None:
        """Until ``over``; late answers do not make the next requests faster than the pace."""
        due = time.monotonic() + random.random() * self._pace
        while not over.wait(max(0.0, due - time.monotonic())):
            due = max(due + self._pace, time.monotonic())
            self.send(wishes())

    def send(self, wish: Wish) -> None:
        """Once, whatever happens."""
        try:
            status, body = self._exchange(wish)
        except (OSError, http.client.HTTPException):
            self._connection = None
            self._diary.write(wish, "dropped", 0, "")
            return
        order = str(body.get("order_id") or body.get("orderId") or "")
        self._diary.write(wish, _outcome(wish, status), status, order)

    def _exchange(self, wish: Wish) -> tuple[int, dict[str, Any]]:
        if self._sent % REQUESTS_PER_SESSION == 0:
            self._session = uuid4().hex
        self._sent += 1
        if self._connection is None:
            self._connection = http.client.HTTPConnection(
                self._host, self._port, timeout=ANSWER_SECONDS
            )
        headers = {"Cookie": f"session={self._session}", "Content-Type": "application/json"}
        if wish.key:
            headers["Idempotency-Key"] = wish.key
        body = json.dumps(wish.body) if wish.body is not None else None
        self._connection.request(wish.method, wish.path, body, headers)
        answer = self._connection.getresponse()
        return answer.status, _content(answer.read())


def _content(body: bytes) -> dict[str, Any]:
    """The shop answers in JSON, a proxy in its place does not."""
    try:
        content = json.loads(body)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _outcome(wish: Wish, status: int) -> str:
    if status in wish.good:
        return "ok"
    if status in FROM_A_PROXY:
        return "dropped"
    return "error" if status >= 500 else "refused"


Shopping = tuple[Buyer, Callable[[], Wish]]
"""Who buys, and what comes next."""


class Wishes:
    """What people want, in the proportions of a busy day."""

    def __init__(self, catalogue: Sequence[dict[str, Any]]) -> None:
        self._catalogue = catalogue

    def storefront(self) -> Wish:
        sku = random.choice(self._catalogue)["sku"]
        if random.random() < CHECKOUT_SHARE:
            wanted = {"sku": sku, "quantity": random.randint(1, 2)}
            return Wish("checkout", "POST", "/checkout", (201,), wanted, uuid4().hex)
        path = random.choice(("/products", f"/products/{sku}"))
        return Wish("page", "GET", path, (200,))

    def marketplace(self, channel: str) -> Wish:
        """One or two things in one order."""
        lines = [
            {"sku": item["sku"], "quantity": random.randint(1, 2), "price": item["price"]}
            for item in random.sample(self._catalogue, random.randint(1, 2))
        ]
        currency = CURRENCIES.get(channel, self._catalogue[0]["currency"])
        wanted = {"lines": lines, "currency": currency}
        path = "/_simulator/orders"
        return Wish("marketplace", "POST", path, (201,), wanted, channel=channel)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--storefront", required=True, nargs="+", help="one address or several")
    parser.add_argument("--marketplace", default=[], nargs="+", help="CHANNEL=ADDRESS")
    parser.add_argument("--diary", type=Path, required=True)
    parser.add_argument("--rate", type=float, default=120, help="storefront requests per second")
    asked = parser.parse_args()
    over, wishes = threading.Event(), Wishes(json.loads(CATALOGUE.read_text()))
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    with asked.diary.open("a") as file:
        diary = Diary(file)
        buyers = [
            *on_the_storefront(asked.storefront, asked.rate, diary, wishes),
            *on_marketplaces(asked.marketplace, diary, wishes),
        ]
        shopping = [
            threading.Thread(target=buyer.shop, args=(wanted, over)) for buyer, wanted in buyers
        ]
        for one in shopping:
            one.start()
        for one in shopping:
            one.join()


def on_the_storefront(
    doors: Sequence[str], rate: float, diary: Diary, wishes: Wishes
) -> list[Shopping]:
    """At every door alike, ``rate`` requests per second together."""
    return [
        (Buyer(door, diary, BUYERS / rate), wishes.storefront)
        for door in islice(cycle(doors), BUYERS)
    ]


def on_marketplaces(places: Sequence[str], diary: Diary, wishes: Wishes) -> list[Shopping]:
    """One buyer for each, PURCHASES_PER_SECOND together."""
    named = [place.partition("=") for place in places]
    return [
        (
            Buyer(address, diary, len(named) / PURCHASES_PER_SECOND),
            partial(wishes.marketplace, name),
        )
        for name, _, address in named
    ]


if __name__ == "__main__":
    main()
