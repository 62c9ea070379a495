"""Flow runs through the Prefect API: started, followed, their gates answered."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError

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

    @property
    def waits(self) -> bool:
        return self.name == "Suspended"


def start(full_name: str, parameters: dict[str, Any], key: str | None = None) -> UUID:
    """A new run of a deployment; the same ``key`` gives the same run again.

    Raises Refused when the form does not take the parameters, Unavailable without a server.
    """
    with _client() as client:
        deployment = client.read_deployment_by_name(full_name)
        run = client.create_flow_run_from_deployment(
            deployment.id, parameters=parameters, idempotency_key=key
        )
        return run.id


def follow(run: UUID, limit_seconds: float, watch: Callable[[], None] = lambda: None) -> Ended:
    """Polls until the run is final or waits for a person; Failed after ``limit_seconds``."""
    deadline = time.monotonic() + limit_seconds
    while time.monotonic() < deadline:
        watch()
        ended = state(run)
        if ended is not None:
            watch()
            return ended
        time.sleep(POLL_SECONDS)
    raise Failed(f"run {run} did not end within {limit_seconds:.0f} s")


def state(run: UUID) -> Ended | None:
    """How it ended or what it waits for; None while it is under way."""
    with _client() as client:
        found = client.read_flow_run(run).state
    if found is None or not (found.is_final() or found.is_paused()):
        return None
    return Ended(run, found.name or "", found.message or "")


def answer(run: UUID, form: dict[str, Any]) -> None:
    """A person's answer to a waiting gate; Refused when the server does not take it."""
    with _client() as client:
        result = client.resume_flow_run(run, run_input=form)
    if result.status.value != "ACCEPT":
        raise Refused(f"run {run} was not waiting for an answer: {result.details}")


@contextmanager
def _client() -> Iterator[SyncPrefectClient]:
    try:
        with get_client(sync_client=True) as client:
            yield client
    except httpx.TransportError as error:
        raise Unavailable(f"no Prefect server: {error}; start one with `tradewind up`") from error
    except ObjectNotFound as error:
        raise Refused("the Prefect server does not know it; run `tradewind apply`") from error
    except PrefectHTTPStatusError as error:
        raise Refused(f"the Prefect server refused it: {error.response.text[:500]}") from error
