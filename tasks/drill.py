"""One drill: asked for, begun, undisturbed while it goes on, and judged."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE
from pydantic import BaseModel, ConfigDict, Field

from blocks.ledger import Lease
from blocks.ledger.drills import Wanted
from blocks.redaction import redacted
from blocks.shop import Live
from domain.drills.judgement import (
    Drill,
    Measured,
    Outcome,
    gone_wrong,
    judged,
    not_possible,
)
from domain.drills.settings import Drills, Kind, agreed_of, place_of
from domain.errors import BadInput, Refused, TradewindError

ALL, PUT_RIGHT = "all", "put right"
WAIT_SECONDS = 5.0


class DrillRequest(BaseModel):
    """The form that starts drills; the schedule sends it empty."""

    model_config = ConfigDict(extra="forbid")
    kind: str = Field(default=ALL, title="What to drill (put right = only what was left behind)")
    environment: str = Field(default="", title="Where (empty = as in shop.yaml)")
    requested_by: str = Field(default="schedule", title="Your name", min_length=1, max_length=60)


@dataclass(frozen=True)
class Asked:
    """What a run of drills is to do, in this order."""

    kinds: tuple[Kind, ...]
    environment: str
    flow_run: str
    requested_by: str


class Drilling:
    """One drill under way, under the lease of its environment's drills."""

    def __init__(self, live: Live, row: Drill, lease: Lease) -> None:
        self.live = live
        self.row = row
        self.lease = lease
        self.journal = live.ledger.journal(f"drill:{row.id}", lease)

    @property
    def environment(self) -> str:
        return self.row.environment

    @property
    def settings(self) -> Drills:
        return declared(self.live)

    def step(self, name: str, act: Callable[[], Mapping[str, Any]]) -> dict[str, Any]:
        """Done once; the recorded outcome when it was done before."""
        return self.journal.once(name, act)

    def outcome(self, name: str) -> dict[str, Any]:
        """Of a step that is done; empty when it is not."""
        found = self.journal.find(name)
        return dict(found.outcome) if found and found.status == "done" else {}


def declared(live: Live) -> Drills:
    """Refused when shop.yaml has no drills."""
    if live.shop.drills is None:
        raise Refused(f"drills is missing in {live.path.name}: nothing was agreed to be drilled")
    return live.shop.drills


def wanted(live: Live, request: DrillRequest, flow_run: str) -> Asked:
    """BadInput for an unknown kind, and for an environment with customers."""
    drills, route = declared(live), live.shop.route
    place = request.environment or place_of(drills, route)
    if place not in route[:-1]:
        known = ", ".join(route[:-1])
        raise BadInput(f"environment is {place!r}, drills are only in: {known}")
    if request.kind not in (ALL, PUT_RIGHT, *drills.kinds):
        known = ", ".join((ALL, PUT_RIGHT, *drills.kinds))
        raise BadInput(f"kind is {request.kind!r}, known are {known}")
    one = (request.kind,) if request.kind in drills.kinds else ()
    kinds = drills.kinds if request.kind == ALL else one
    return Asked(kinds, place, flow_run, request.requested_by.strip())


@contextmanager
def drilling(live: Live, asked: Asked, owner: str) -> Iterator[Lease]:
    """Inside, nobody else drills in this environment; Fenced while somebody does."""
    seconds = live.environment(asked.environment).lease_seconds
    name = lease_name(asked.environment)
    with live.ledger.exclusive(name, owner, seconds, seconds + WAIT_SECONDS) as lease:
        yield lease


def lease_name(environment: str) -> str:
    return f"drill {environment}"


def begin(live: Live, asked: Asked, kind: Kind, lease: Lease) -> Drilling:
    """The flow run's drill of that kind."""
    agreed = agreed_of(declared(live), kind)
    one = Wanted(kind, asked.environment, asked.flow_run, asked.requested_by, agreed)
    return Drilling(live, live.ledger.drills.open(one, lease), lease)


def drilled(under_way: Drilling, way: Callable[[Drilling], Measured]) -> Drill:
    """Carried out and judged; what could not be begun is *not possible*, which is no pass."""
    row = under_way.row
    if row.finished_at is not None:
        return row
    try:
        free(under_way.live, row.environment)
        outcome = judged(way(under_way), row.agreed)
    except Refused as refusal:
        outcome = not_possible(redacted(str(refusal)))
    except TradewindError as error:
        outcome = gone_wrong(redacted(str(error)))
    return finish(under_way, outcome)


@task(task_run_name="drill {under_way.row.kind} ends", cache_policy=NO_CACHE)
def finish(under_way: Drilling, outcome: Outcome) -> Drill:
    """Written down, for good."""
    said = f"{outcome.result} {outcome.reason}".strip()
    get_run_logger().info("%s: %s", under_way.row.kind, said)
    return under_way.live.ledger.drills.finish(under_way.row.id, outcome, under_way.lease)


def free(live: Live, environment: str) -> None:
    """Refused while a deployment is under way there, or a person holds it, or nothing serves."""
    rows = [one for one in live.ledger.deployments.unfinished() if one.environment == environment]
    held, nothing = live.ledger.pauses.held_by(environment), f"nothing serves in {environment}"
    against = (
        *(f"{environment} has a deployment under way: {one.version} {one.state}" for one in rows),
        *([f"{environment} is {held}"] if held else []),
        *([] if live.ledger.deployments.serving(environment) else [nothing]),
    )
    if against:
        raise Refused(*against)


@contextmanager
def undisturbed(under_way: Drilling, owner: str) -> Iterator[Lease]:
    """Inside, no deployment and no repair begins: the environment's own lease is ours."""
    live, place = under_way.live, under_way.environment
    seconds = live.environment(place).lease_seconds
    with live.ledger.exclusive(place, owner, seconds, WAIT_SECONDS) as lease:
        free(live, place)
        yield lease
