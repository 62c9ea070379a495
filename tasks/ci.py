"""A commit's tests without a release: what a push is answered with."""

from datetime import UTC, datetime

from prefect import task
from prefect.cache_policies import NO_CACHE
from pydantic import BaseModel, ConfigDict, Field

from blocks.shop import Live
from domain.errors import Refused
from domain.evidence import Evidence, from_record
from domain.forge.statuses import State, Status
from domain.journal import Release
from tasks.forge import report_status
from tasks.notify import run_page
from tasks.test import USUAL, tested

PLACE = "ci"


class CiRequest(BaseModel):
    """What a forge's event asks for."""

    model_config = ConfigDict(extra="forbid")
    ref: str = Field(title="Branch, tag or commit", max_length=200)
    reason: str = Field(default="", title="Why", max_length=500)
    requested_by: str = Field(title="Your name", max_length=100)


def candidate(live: Live, request: CiRequest, flow_run: str) -> Release:
    """A release as it would be: it has no number, and the ledger does not know it."""
    commit, now = live.repository.resolve(request.ref), datetime.now(UTC)
    committed, shop = live.repository.committed_at(commit), live.shop
    return Release(
        f"{PLACE}-{commit[:10]}", flow_run, request.ref, commit, request.requested_by,
        request.reason, tuple(shop.services), shop.route, "open", "", committed, now, None,
    )  # fmt: skip


def every_service(live: Live, made: Release) -> None:
    """Side by side; the forge hears how it ended. Refused names every gate that did not pass."""
    _told(live, made, "pending", "testing")
    running = {name: gate_of.submit(live, made, name) for name in made.services}
    found = {name: future.result() for name, future in running.items()}
    reasons = [f"{name}: {reason}" for name, seen in found.items() for reason in seen.reasons]
    _told(live, made, "failure" if reasons else "success", "; ".join(reasons) or "all tests pass")
    if reasons:
        raise Refused(*reasons)


@task(task_run_name="test {service}", cache_policy=NO_CACHE)
def gate_of(live: Live, made: Release, service: str) -> Evidence:
    return from_record(tested(live, made, service, USUAL))


def _told(live: Live, made: Release, state: State, says: str) -> None:
    url = run_page(live, made.flow_run)
    report_status(live, Status(made.version, made.commit, made.ref, PLACE, state, says, url))
