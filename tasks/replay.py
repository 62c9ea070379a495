"""One stage of a version once more, in debug mode, where no customer is: nothing switches."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from prefect import get_run_logger, task
from prefect.client.schemas.objects import State
from prefect.states import Completed
from prefect.states import Failed as FailedState
from pydantic import BaseModel, ConfigDict, Field

from blocks.artifacts import Artifacts
from blocks.following import followed
from blocks.redaction import redacted
from blocks.shop import Live
from domain.errors import Failed, Refused
from domain.evidence import from_record
from domain.failure.replay import Asked, Verdict, compared, objections
from domain.journal import Release
from tasks.build import built
from tasks.retries import STEP
from tasks.test import Manner, tested
from tasks.trial import tried

LEASE_SECONDS, WAIT_SECONDS = 30.0, 5.0
VERBOSE = Manner("replay", "-vv --showlocals --tb=long")

Try = Callable[[Live, Release, str], Verdict]


class ReplayRequest(BaseModel):
    """The form that replays a stage."""

    model_config = ConfigDict(extra="forbid")
    version: str = Field(title="Version")
    stage: Literal["test", "build", "migrate", "start", "smoke", "check"] = Field(title="Stage")
    service: str = Field(default="", title="Service (empty = those of the release)")
    requested_by: str = Field(title="Your name", max_length=100)


@dataclass(frozen=True)
class Replay:
    """What is tried again, and where."""

    release: Release
    stage: str
    services: tuple[str, ...]
    environment: str
    by: str


def admitted(live: Live, request: ReplayRequest) -> Replay:
    """Refused, with every objection, before anything is begun."""
    release, route = live.ledger.releases.get(request.version), live.shop.route
    services = (request.service,) if request.service else release.services
    moving = {row.environment: row.version for row in live.ledger.deployments.unfinished()}
    against = objections(
        Asked(
            request.stage, route, request.requested_by, services, tuple(live.shop.services),
            moving.get(route[0], ""), live.ledger.pauses.held_by(route[0]),
            release.state != "open" and _has_manifest(live, release),
        )
    )  # fmt: skip
    if against:
        raise Refused(*against)
    return Replay(release, request.stage, services, route[0], request.requested_by.strip())


def _has_manifest(live: Live, release: Release) -> bool:
    try:
        return bool(live.ledger.releases.manifest(release.version))
    except Refused:
        return False


def replayed(live: Live, replay: Replay, owner: str) -> tuple[Verdict, ...]:
    """Service by service, one replay at a time; each verdict is written down with who asked."""
    name = f"replay {replay.environment}"
    with live.ledger.exclusive(name, owner, LEASE_SECONDS, WAIT_SECONDS) as lease:
        journal = live.ledger.journal(f"replay:{replay.release.version}", lease)
        what = f"epoch {lease.epoch}, by {replay.by}: {replay.stage}"

        def kept(service: str) -> Verdict:
            found = journal.once(f"{what} {service}", lambda: asdict(again(live, replay, service)))
            return Verdict(**found)

        return tuple(map(kept, replay.services))


@task(task_run_name="{replay.stage} {service} again", **STEP)
def again(live: Live, replay: Replay, service: str) -> Verdict:
    """One service's stage; that it fails again is an answer, and no failure of the replay's."""
    stages: Mapping[str, Try] = {
        "test": gate_again,
        "build": build_again,
        "start": started_again,
        "smoke": smoked_again,
    }
    try:
        return stages[replay.stage](live, replay.release, service)
    except Failed as error:
        return Verdict(service, False, redacted(str(error)))


def gate_again(live: Live, release: Release, service: str) -> Verdict:
    """Its gate, every test by name and with its variables; the output stays with the reports."""
    file = live.state / "reports" / release.version / VERBOSE.folder / service / "output.log"
    with followed(file, get_run_logger().info):
        found = from_record(tested(live, release, service, VERBOSE))
    said = "; ".join(found.reasons) or f"{found.counted.executed} tests passed"
    return Verdict(service, not found.reasons, f"{said}; all of its output is in {file}")


def build_again(live: Live, release: Release, service: str) -> Verdict:
    """Into a store that is gone afterwards; the digest is compared with the one from then."""
    if live.service(service).image is not None:
        raise Refused(f"{service} is an image: it would be pushed, which only a release does")
    with _scratch(live) as beside:
        return compared(
            service, str(built(beside, release, service)["digest"]), _then(live, release, service)
        )


def started_again(live: Live, release: Release, service: str) -> Verdict:
    return tried(live, release, service, ())


def smoked_again(live: Live, release: Release, service: str) -> Verdict:
    return tried(live, release, service, live.service(service).smoke)


@contextmanager
def _scratch(live: Live) -> Iterator[Live]:
    """The same shop with artifacts of its own."""
    with tempfile.TemporaryDirectory(prefix="tradewind-replay-") as folder:
        beside = Live(live.path, live.state)
        beside.artifacts = Artifacts(Path(folder))
        yield beside


def _then(live: Live, release: Release, service: str) -> str:
    steps = live.ledger.steps(f"release:{release.version}")
    built_then: Iterator[Mapping[str, Any]] = (
        step.outcome for step in steps if step.name == f"build {service}"
    )
    return str(next(built_then, {}).get("digest", ""))


def concluded(replay: Replay, found: tuple[Verdict, ...]) -> State[Any]:
    """Completed when it works now; a run that failed again says so."""
    said = "; ".join(f"{one.service}: {one.said}" for one in found)
    message = f"{replay.stage} of {replay.release.version} in {replay.environment}: {said}"
    if all(one.passed for one in found):
        return Completed(message=message)
    return FailedState(name="FailedAgain", message=message)
