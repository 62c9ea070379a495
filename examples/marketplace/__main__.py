"""``python -m examples.marketplace KIND… --ready FILE``: a free port each, written to FILE."""

import argparse
import json
import os
import socket
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from examples.marketplace.market import Api, Market
from examples.marketplace.server import application

KINDS = ("amazon", "ebay", "shopee", "shopify", "magento")
QUICK = 10_000.0


def opened(kind: str, market: Market) -> Api:
    """The marketplace of that kind (one of KINDS) over ``market``."""
    made: Api = import_module(f"examples.marketplace.{kind}").api(market)
    return made


def opened_port() -> socket.socket:
    """On 127.0.0.1; what it accepts answers at once, where uvicorn would let 40 ms pass."""
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def by_port(served: Mapping[int, ASGIApp]) -> ASGIApp:
    """One application that is another at each port it listens on."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await served[scope["server"][1]](scope, receive, send)

    return answer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", choices=KINDS, nargs="+", metavar="KIND")
    parser.add_argument("--ready", type=Path, required=True)
    parser.add_argument("--quick", action="store_true", help="generous rates, no end bound")
    asked = parser.parse_args()
    listening = {kind: opened_port() for kind in asked.kinds}
    ports = {kind: one.getsockname()[1] for kind, one in listening.items()}
    served = by_port({
        port: application(opened(kind, Market(pace=QUICK if asked.quick else 1)))
        for kind, port in ports.items()
    })  # fmt: skip
    fresh = asked.ready.with_suffix(".fresh")
    fresh.write_text(json.dumps({"pid": os.getpid(), "ports": ports}))
    fresh.replace(asked.ready)
    config = uvicorn.Config(
        served, log_level="warning", access_log=False, date_header=False, lifespan="off"
    )
    uvicorn.Server(config).run(sockets=list(listening.values()))


if __name__ == "__main__":
    main()
