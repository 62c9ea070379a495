"""``python -m examples.customers``: strict customers of the storefront and of the marketplace.

They never send a request twice, and write down how every single one ended, a JSON line each:
``at`` (seconds since 1970), ``what`` (page, checkout, marketplace), ``outcome`` and ``status``.
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


@dataclass(frozen=True)
class Wish:
    """One request and the statuses that are a good answer to it."""

    what: str
    method: str
    path: str
    good: tuple[int, ...]
    body: dict[str, Any] | None = None
    key: str = ""


class Diary:
    """What was sent and what came back; one line a request, complete lines only."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._turn = threading.Lock()

    def write(self, wish: Wish, outcome: str, status: int, order: str) -> None:
        line = {"at": time.time(), "what": wish.what, "outcome": outcome, "status": status}
        with self._turn:
            self._file.write(json.dumps({**line, "key": wish.key, "order": order}) + "\n")
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

    def marketplace(self) -> Wish:
        item = random.choice(self._catalogue)
        wanted = {"sku": item["sku"], "quantity": random.randint(1, 2)}
        wanted |= {"price": item["price"], "currency": item["currency"]}
        return Wish("marketplace", "POST", "/_simulator/orders", (201,), wanted)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--storefront", required=True, nargs="+", help="one address or several")
    parser.add_argument("--marketplace", required=True)
    parser.add_argument("--diary", type=Path, required=True)
    parser.add_argument("--rate", type=float, default=120, help="storefront requests per second")
    asked = parser.parse_args()
    over, wishes = threading.Event(), Wishes(json.loads(CATALOGUE.read_text()))
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    with asked.diary.open("a") as file:
        diary, pace = Diary(file), BUYERS / asked.rate
        doors = islice(cycle(asked.storefront), BUYERS)
        buyers = [(Buyer(door, diary, pace), wishes.storefront) for door in doors]
        elsewhere = Buyer(asked.marketplace, diary, 1 / PURCHASES_PER_SECOND)
        shopping = [
            threading.Thread(target=buyer.shop, args=(wanted, over))
            for buyer, wanted in (*buyers, (elsewhere, wishes.marketplace))
        ]
        for one in shopping:
            one.start()
        for one in shopping:
            one.join()


if __name__ == "__main__":
    main()
