"""The Prefect runs around a release: who we are, what we are called, and being woken again."""

from prefect.runtime import flow_run

from blocks.prefect_server import PrefectServer


def this_run() -> str:
    """The id of the flow run that this process executes."""
    return str(flow_run.get_id())


def name_run(name: str) -> None:
    """The run's name in the UI, once the version is known."""
    PrefectServer().rename_run(this_run(), name)
