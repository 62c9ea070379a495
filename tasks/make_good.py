"""After a version was taken back: the stock that it told the channels is told again as it is."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from typing import Any

from prefect import task
from pydantic import BaseModel, ConfigDict, Field

from blocks import prefect_runs as runs
from blocks.ledger import Lease
from blocks.shop import Live
from domain.checks.blame import Push, Serving, written_by
from domain.checks.looks import Divergence
from domain.errors import Failed, Halted, Refused
from domain.journal import Approval, Deployment
from domain.making_good import Blamed, Correction, concluded, page, plan_digest
from tasks.blame import served
from tasks.channels import Channels, begun
from tasks.deployment import scope_of_correction
from tasks.prepare import Prepared
from tasks.retries import STEP
from tasks.statements import verified

PLAN, OF_LEVELS = "plan", ("INV-01", "INV-04", "INV-05")
"""Checks whose own value is what a channel should show."""
MOST_ROUNDS = 5
NEWEST = 10
LEASE_SECONDS = 60.0


class MakeGoodRequest(BaseModel):
    """Which version told the channels wrongly, and where."""

    model_config = ConfigDict(extra="forbid")
    environment: str = Field(title="Environment")
    version: str = Field(title="Version that was taken back")


class Correcting:
    """One bad deployment, made good under a lease of its own: releases go on beside it."""

    def __init__(self, live: Live, row: Deployment, lease: Lease) -> None:
        self.live = live
        self.row = row
        self.channels = Channels(live, row.environment)
        self._journal = live.ledger.journal(scope_of_correction(row), lease)

    def step(self, name: str, act: Callable[[], Mapping[str, Any]]) -> dict[str, Any]:
        return self._journal.once(name, act)

    def wrong(self, written: Mapping[str, tuple[str, ...]]) -> tuple[Correction, ...]:
        """Which of them do not show what they should, as a look now finds it."""
        since = begun(self.channels.checks.history_seconds)
        settling = self.channels.checks.settle_seconds
        look = self.channels.look("hourly", since, settling, asked=written)
        blind = [f"{name}: {part.unknown}" for name, part in look.parts.items() if part.unknown]
        if blind:
            raise Failed(*blind)
        found = self.channels.quality.seen_by(self.row.environment, look.id)
        return tuple(_corrections(found, written))


def _corrections(
    found: Iterator[Divergence], written: Mapping[str, tuple[str, ...]]
) -> Iterator[Correction]:
    seen: set[tuple[str, str]] = set()
    for one in found:
        place = (one.channel, one.key)
        if one.check in OF_LEVELS and one.key in written.get(one.channel, ()) and place not in seen:
            seen.add(place)
            yield Correction(one.channel, one.key, int(one.theirs), int(one.ours))


def blamed_of(live: Live, row: Deployment) -> Blamed:
    """The version, and when it could write."""
    (began,) = (
        one.began for one in served(live, row.environment)
        if one.version == row.version and one.until == row.finished_at
    )  # fmt: skip
    assert row.finished_at is not None  # it was taken back
    return Blamed(row.version, row.environment, began, row.finished_at)


def written_of(live: Live, row: Deployment) -> Mapping[str, tuple[str, ...]]:
    """SKUs that the version told, by channel, from the shop's own ledger of pushes."""
    blamed, declared = blamed_of(live, row), live.environment(row.environment)
    query = declared.checks.pushes.strip() if declared.checks else ""
    if not query:
        raise Refused("checks.pushes is not declared: nobody knows what was told to a channel")
    database = live.database(row.environment)
    pushes = (
        Push(channel, one["sku"], one["pushed_at"], one.get("version") or "")
        for channel in declared.channels
        for one in database.rows(query, {"channel": channel, "since": blamed.since})
    )
    return written_by(Serving(blamed.version, blamed.since, blamed.until), pushes)


@contextmanager
def correcting(live: Live, row: Deployment, owner: str) -> Iterator[Correcting]:
    """Nobody else makes the same environment good meanwhile."""
    name = f"channels of {row.environment}"
    with live.ledger.exclusive(name, owner, LEASE_SECONDS, 2 * LEASE_SECONDS) as lease:
        yield Correcting(live, row, lease)


def taken_back(live: Live, request: MakeGoodRequest) -> Deployment:
    """The newest deployment of that version there that was taken back. Refused without one."""
    live.environment(request.environment)
    rows = live.ledger.deployments.of_release(request.version)
    for row in reversed(rows):
        if row.environment == request.environment and row.state == "rolled back":
            return row
    raise Refused(f"{request.version} was not taken back in {request.environment}")


@task(task_run_name="prepare to make {request.version} good", **STEP)
def prepare_making_good(
    live: Live, request: MakeGoodRequest, flow_run: str, owner: str
) -> Prepared:
    """What the version wrote and what of it is wrong; somebody else than who asked approves it."""
    row = taken_back(live, request)
    with correcting(live, row, owner) as under_way:
        plan = under_way.step(PLAN, partial(_planned, under_way, flow_run))
        corrections = tuple(Correction(**one) for one in plan["corrections"])
        if not corrections:
            return Prepared(row, None, "")
        seconds = live.environment(row.environment).approval_timeout_seconds
        approval = live.ledger.approvals.open(row, plan["digest"], seconds)
        text = page(blamed_of(live, row), plan["written"], corrections, plan["digest"])
        return Prepared(row, approval, text)


def _planned(under_way: Correcting, flow_run: str) -> Mapping[str, Any]:
    written = written_of(under_way.live, under_way.row)
    corrections = under_way.wrong(written) if written else ()
    return {
        "flow_run": flow_run,
        "written": {channel: len(skus) for channel, skus in written.items()},
        "corrections": [asdict(one) for one in corrections],
        "digest": plan_digest(blamed_of(under_way.live, under_way.row), corrections),
    }


@task(task_run_name="tell stock again after {row.version}", **STEP)
def tell_again(live: Live, row: Deployment, approval: Approval | None, owner: str) -> str:
    """Round by round until nothing differs; a sentence with what is left and how long it took."""
    with correcting(live, row, owner) as under_way:
        plan = under_way.step(PLAN, dict)
        if approval is None:
            return f"{row.version} told the channels nothing that is wrong now"
        verified(live, row.id, plan["digest"])
        done = under_way.step("tell again", partial(_rounds, under_way, plan))
        left = int(done["residual"])
        said = concluded(int(done["told"]), left, float(done["seconds"]))
        if left:
            raise Halted(f"{said}: {done['refused']}")
        return said


def _rounds(under_way: Correcting, plan: Mapping[str, Any]) -> Mapping[str, Any]:
    """Each level is what a look just before found; people go on buying meanwhile."""
    skus: dict[str, tuple[str, ...]] = {}
    for one in plan["corrections"]:
        skus[one["channel"]] = (*skus.get(one["channel"], ()), one["sku"])
    begun_at, told, refused = datetime.now(UTC), set[tuple[str, str]](), dict[str, str]()
    for _ in range(MOST_ROUNDS):
        wrong = under_way.wrong(skus)
        if not wrong:
            break
        for channel, levels in _by_channel(wrong).items():
            answer = under_way.channels.push(channel, levels)
            told |= {(channel, sku) for sku in answer.taken}
            refused |= {f"{channel} {sku}": why for sku, why in answer.refused.items()}
        time.sleep(under_way.channels.checks.settle_seconds)
    left = under_way.wrong(skus)
    took = (datetime.now(UTC) - begun_at).total_seconds()
    return {"told": len(told), "residual": len(left), "seconds": took, "refused": refused}


def _by_channel(wrong: tuple[Correction, ...]) -> dict[str, dict[str, int]]:
    levels: dict[str, dict[str, int]] = {}
    for one in wrong:
        levels.setdefault(one.channel, {})[one.sku] = one.truth
    return levels


@task(task_run_name="make good what was taken back", **STEP)
def start_making_good(live: Live) -> None:
    """A run for each version that was taken back and told stock to channels; once, by its key."""
    for name, declared in live.shop.environments.items():
        if declared.checks and declared.checks.pushes.strip() and declared.channels:
            for row in live.ledger.deployments.of_environment(name)[:NEWEST]:
                if _to_be_made_good(live, row):
                    _start(live, row)


def _to_be_made_good(live: Live, row: Deployment) -> bool:
    if row.kind != "release" or row.state != "rolled back":
        return False
    return not live.ledger.steps(scope_of_correction(row)) and bool(written_of(live, row))


def _start(live: Live, row: Deployment) -> None:
    shop = live.shop.shop
    request = {"environment": row.environment, "version": row.version}
    parameters = {"shop": shop, "request": request}
    runs.start(f"make-good/{shop}", parameters, f"make-good-{shop}-{row.id}")


def run_waiting(live: Live, row: Deployment, approval: Approval) -> str:
    """The flow run that an approval lets go on: the deployment's own, or that which makes good."""
    for step in live.ledger.steps(scope_of_correction(row)):
        if step.outcome.get("digest") == approval.plan_digest:
            return str(step.outcome["flow_run"])
    return row.flow_run
