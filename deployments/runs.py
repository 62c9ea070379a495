"""Starts a flow run through the Prefect API and follows it to its end."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import FlowRun

from domain.errors import Failed, Refused, Unavailable

POLL_SECONDS = 0.5


@dataclass(frozen=True)
class Ended:
    """How a run ended: the state's name (Completed, Restored, Refused, …) and its message."""

    run: UUID
    name: str
    message: str

    @property
    def completed(self) -> bool:
        return self.name == "Completed"


def start(full_name: str, parameters: dict[str, Any], key: str | None = None) -> FlowRun:
    """A new run of a deployment; the same ``key`` gives the same run again.

    Raises Refused when the form does not take the parameters, Unavailable without a server.
    """
    with _client() as client:
        deployment = client.read_deployment_by_name(full_name)
        return client.create_flow_run_from_deployment(
            deployment.id, parameters=parameters, idempotency_key=key
        )


def follow(
    run: UUID, limit_seconds: float, seen: Callable[[FlowRun], None] = lambda run: None
) -> Ended:
    """Polls until the run is final or waits for a person; Failed after ``limit_seconds``."""
    deadline = time.monotonic() + limit_seconds
    with _client() as client:
        while time.monotonic() < deadline:
            found = client.read_flow_run(run)
            seen(found)
            if found.state and (found.state.is_final() or found.state.is_paused()):
                return Ended(run, found.state.name or "", found.state.message or "")
            time.sleep(POLL_SECONDS)
    raise Failed(f"run {run} did not end within {limit_seconds:.0f} s")


def answer(run: UUID, form: dict[str, Any]) -> None:
    """A person's answer to a waiting gate; Refused when the server does not take it."""
    with _client() as client:
        result = client.resume_flow_run(run, run_input=form)
    if result.status.value != "ACCEPT":
        raise Refused(f"run {run} was not waiting for an answer: {result.details}")


def _client() -> SyncPrefectClient:
    try:
        return get_client(sync_client=True)
    except OSError as error:
        raise Unavailable(f"no Prefect server: {error}; start one with `tradewind up`") from error
