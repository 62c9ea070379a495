"""What Tradewind asks of a real Prefect server."""

from prefect import flow
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Pending, Suspended

from blocks.prefect_server import PrefectServer


@flow(name="late-word")
def late_word() -> None:
    """Never run."""


def test_a_run_that_a_worker_holds_for_pending_can_wait_all_the_same(prefect_url: str) -> None:
    with temporary_settings({PREFECT_API_URL: f"{prefect_url}/api"}):
        client = get_client(sync_client=True)
        deployment = client.create_deployment(client.create_flow(late_word), "of-a-test")
        late = Pending(name="Submitting")
        run = client.create_flow_run_from_deployment(deployment, state=late)
        waiting = Suspended(timeout_seconds=60)

        before = client.set_flow_run_state(run.id, waiting)
        PrefectServer(client).hold_for_running(str(run.id))
        after = client.set_flow_run_state(run.id, waiting)

    assert (before.status.value, after.status.value) == ("REJECT", "ACCEPT")
