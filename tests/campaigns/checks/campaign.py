"""Many runs: which ones, where they are made, and two processes that make them."""

import multiprocessing
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path
from random import Random

from blocks.ledger.migrate import upgrade
from deployments.stack.postgres import Postgres
from tests.campaigns.checks import books
from tests.campaigns.checks.kinds import BY_NAME, GUILTY, INNOCENT, UNKNOWN
from tests.campaigns.checks.run import Place, Row
from tests.campaigns.checks.street import served

PROCESSES = 2
HEALTHY_SHARE, INNOCENT_SHARE = 0.25, 0.15

Planned = tuple[str, int]


def plan(runs: int, seed: int, only: Sequence[str]) -> list[Planned]:
    """Healthy releases, innocent ones, and the faults in turn; each run with a seed of its own."""
    healthy = round(HEALTHY_SHARE * runs)
    innocent = round(INNOCENT_SHARE * runs)
    faults = [kind.name for kind in (*GUILTY, *UNKNOWN)]
    others = [kind.name for kind in INNOCENT if kind.name != "healthy"]
    names = [
        *["healthy"] * healthy,
        *islice(cycle(others), innocent),
        *islice(cycle(faults), runs - healthy - innocent),
    ]
    if only:
        names = list(islice(cycle(only), runs))
    Random(seed).shuffle(names)
    return [(name, seed * 1_000_000 + number) for number, name in enumerate(names)]


def made(planned: Sequence[Planned]) -> list[Row]:
    """In two processes, each with a PostgreSQL and a street of its own."""
    shares = [planned[number::PROCESSES] for number in range(PROCESSES)]
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, mp_context=spawned) as pool:
        return [row for rows in pool.map(_share, shares) for row in rows]


def _share(planned: Sequence[Planned]) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="tradewind-campaign-") as folder:
        Path(folder).chmod(0o711)  # as root the server runs as another user
        server = Postgres(Path(folder) / "data")
        server.start()
        try:
            with place(server, Path(folder)) as there:
                return [there.run(BY_NAME[name], seed) for name, seed in planned]
        finally:
            server.stop()


@contextmanager
def place(server: Postgres, folder: Path) -> Iterator[Place]:
    """Databases and marketplaces for runs, on a PostgreSQL that is there."""
    for database in ("campaign_shop", "campaign_ledger"):
        server.create(database)
    shop, ledger = server.url("campaign_shop"), server.url("campaign_ledger")
    books.create(shop)
    upgrade(ledger)
    with served(shop, folder) as street:
        yield Place(street, shop, ledger)
