"""The Prefect runs around a release: who we are, what we are called, and being woken again."""

from collections.abc import Iterator
from contextlib import contextmanager

from prefect.runtime import flow_run

from blocks.prefect_server import PrefectServer, limit_name
from tasks.deployment import Deploying


def this_run() -> str:
    """The id of the flow run that this process executes."""
    return str(flow_run.get_id())


def name_run(name: str) -> None:
    """The run's name in the UI, once the version is known."""
    PrefectServer().rename_run(this_run(), name)


def about_to_wait() -> None:
    """Called by a flow before it suspends itself: it runs, whatever the server heard last."""
    PrefectServer().hold_for_running(this_run())


@contextmanager
def shown_as_held(under_way: Deploying) -> Iterator[None]:
    """Inside, Prefect's UI shows the environment as taken; the lock is the ledger's lease."""
    limit = limit_name(under_way.live.shop.shop, under_way.environment)
    PrefectServer().show_held(limit, 1)
    try:
        yield
    finally:
        PrefectServer().show_held(limit, 0)
