"""``python -m examples.marketplace --ready FILE``: serves on a free port, written to FILE."""

import argparse
import json
import os
import socket
from datetime import timedelta
from pathlib import Path

import uvicorn

from examples.marketplace.api import Marketplace
from examples.marketplace.rates import Bucket
from examples.marketplace.server import application


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ready", type=Path, required=True)
    parser.add_argument("--quick", action="store_true", help="no end bound and generous rates")
    asked = parser.parse_args()
    quick = Marketplace(
        orders_bucket=Bucket(50, 100), stock_bucket=Bucket(50, 100), end_bound=timedelta(0)
    )
    marketplace = quick if asked.quick else Marketplace()
    listening = socket.create_server(("127.0.0.1", 0))
    fresh = asked.ready.with_suffix(".fresh")
    fresh.write_text(json.dumps({"port": listening.getsockname()[1], "pid": os.getpid()}))
    fresh.replace(asked.ready)
    config = uvicorn.Config(application(marketplace), log_level="warning", access_log=False)
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
