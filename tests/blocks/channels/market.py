"""A marketplace of a test's own over HTTP, a budget without limits, a clock to turn by hand."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import uvicorn

from domain.channel import Rate
from examples.marketplace.__main__ import opened, opened_port
from examples.marketplace.market import Api, Market
from examples.marketplace.rates import Bucket
from examples.marketplace.server import application

ROUNDING_SECONDS = 0.001


class Plenty:
    """A budget that is never spent."""

    def spend(self, operation: str, rate: Rate, cost: float, wait_seconds: float) -> bool:
        return True


@dataclass
class Clock:
    """Ours to turn; ``pause`` is what a client waits with."""

    at: datetime = datetime(2026, 11, 24, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def pause(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class Metered:
    """A budget that keeps each rate by a clock of a test's own."""

    clock: Clock
    buckets: dict[str, Bucket] = field(default_factory=dict)

    def spend(self, operation: str, rate: Rate, cost: float, wait_seconds: float) -> bool:
        made = Bucket(rate.per_second, round(rate.burst))
        bucket = self.buckets.setdefault(operation, made)
        if bucket.take(self.clock().timestamp(), cost):
            return True
        turn = (cost - bucket.left) / rate.per_second + ROUNDING_SECONDS
        if turn > wait_seconds:
            return False
        self.clock.pause(turn)
        return bucket.take(self.clock().timestamp(), cost)


@dataclass(frozen=True)
class Served:
    """``api`` is the live one: its market, account and faults can be turned while it serves."""

    url: str
    api: Api

    @property
    def market(self) -> Market:
        return self.api.market


@contextmanager
def serving(kind: str, **options: Any) -> Iterator[Served]:
    """The marketplace of that kind on 127.0.0.1; ``options`` are Market's. It ends by itself."""
    api = opened(kind, Market(**options))
    listening = opened_port()
    config = uvicorn.Config(
        application(api), log_level="error", access_log=False, date_header=False, lifespan="off"
    )
    server = uvicorn.Server(config)
    Thread(target=server.run, args=([listening],), daemon=True).start()
    try:
        yield Served(f"http://127.0.0.1:{listening.getsockname()[1]}", api)
    finally:
        server.should_exit = True


@contextmanager
def saying(text: str) -> Iterator[str]:
    """The address of a host that answers everything with ``text``, and 200."""

    class Says(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Says) as host:
        Thread(target=host.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{host.server_address[1]}"
        host.shutdown()
