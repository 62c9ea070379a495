"""Runs that are started once: the same key is the same run, unless that came to nothing."""

from typing import Any
from uuid import UUID

from blocks.prefect_runs import start, state
from blocks.shop import Live
from domain.errors import Failed

MOST_ATTEMPTS = 100


def start_once(live: Live, flow: str, request: dict[str, Any], key: str) -> UUID:
    """The run of a key. One that ended without cutting anything leaves its turn to the next.

    The environment may have been held, say: the next key follows from that run.
    """
    shop, following = live.shop.shop, key
    for _ in range(MOST_ATTEMPTS):
        run = start(f"{flow}/{shop}", {"shop": shop, "request": request}, following)
        if not _cut_nothing(live, run):
            return run
        following = f"{key}:{run}"
    raise Failed(f"{MOST_ATTEMPTS} runs for {key} cut nothing, the last: {run}")


def _cut_nothing(live: Live, run: UUID) -> bool:
    return state(run) is not None and live.ledger.releases.of_flow_run(str(run)) is None
