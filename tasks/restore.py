"""The way back: traffic first, then everything else, driven by what the ledger says was done."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from prefect import get_run_logger, task

from blocks.hosts import Host
from blocks.redaction import redacted
from domain.errors import BadRelease, Failed, Fenced, Halted
from domain.host import unit_name
from domain.plan import Change
from tasks.deployment import Deploying
from tasks.fleet import left, wherever
from tasks.place import Candidate
from tasks.retries import RESTORATION
from tasks.workers import Handover

DRAIN_SECONDS = 60.0


@contextmanager
def restored_on_failure(under_way: Deploying) -> Iterator[None]:
    """Whatever fails inside, the old version serves again; Halted when even that fails.

    A lost lease restores nothing: somebody else has the environment now.
    """
    try:
        under_way.only_forward()
        yield
    except Fenced:
        raise
    except Exception as cause:
        get_run_logger().error("%s", cause)
        restore(under_way, cause)
        raise Failed(f"restored: {redacted(str(cause))}") from cause


def restore(under_way: Deploying, cause: Exception) -> None:
    """Back to what served before, step by step; the reason stays in the ledger."""
    blamed = under_way.step(
        "blame",
        lambda: {"bad": isinstance(cause, BadRelease), "reason": redacted(str(cause))},
    )
    reason = blamed["reason"]
    under_way.advance("rolling back", reason)
    try:
        go_back(under_way)
    except Fenced:
        raise
    except Exception as second:
        both = f"{reason}; restoring failed too: {redacted(str(second))}"
        under_way.advance("halted", both)
        raise Halted(f"{both}; a person is needed") from second
    if blamed["bad"]:
        quarantine(under_way, reason)
    under_way.advance("rolled back", reason)


def go_back(under_way: Deploying) -> None:
    """Every change is undone, customers first; what was never started is nothing to undo."""
    for change in under_way.plan.web:
        give_back_traffic(under_way, change)
    for change in under_way.plan.background:
        give_back_work(under_way, change)
    for change in under_way.plan.changes:
        withdraw(under_way, change)


@task(task_run_name="give traffic of {change.service} back", **RESTORATION)
def give_back_traffic(under_way: Deploying, change: Change) -> None:
    """All of a web service's traffic on the version that served before."""
    before = change.before
    if before is None:
        return

    def back() -> Mapping[str, Any]:
        weights = {before.version: 100}
        wherever(under_way, lambda host: host.route(change.service, weights, under_way.epoch))
        return {"weights": weights}

    under_way.step(f"restore: traffic of {change.service}", back)


@task(task_run_name="give work of {change.service} back", **RESTORATION)
def give_back_work(under_way: Deploying, change: Change) -> None:
    """The worker that ran before works again, from the watermark the bad one left."""
    before = change.before
    if before is None:
        return

    live = under_way.live
    again = Change(change.service, change.kind, change.after, before)

    def back() -> Mapping[str, Any]:
        candidate = Candidate(live, under_way.environment, again, under_way.epoch)
        wherever(under_way, candidate.run_on)
        return Handover(under_way, again).made(left)

    under_way.step(f"restore: work of {change.service}", back)


@task(task_run_name="withdraw {change.service} {change.after.version}", **RESTORATION)
def withdraw(under_way: Deploying, change: Change) -> None:
    """The candidate ends with its last request; a first version stays, it has no rival."""
    if change.before is None:
        return

    def gone() -> Mapping[str, Any]:
        drain_and_retire(under_way, change.service, change.after.version)
        return {"retired": unit_name(change.service, change.after.version)}

    under_way.step(f"restore: withdraw {change.service}", gone)


def drain_and_retire(under_way: Deploying, service: str, version: str) -> None:
    """Ends a unit that has no traffic any more, on every host where it is."""
    name = unit_name(service, version)
    canary = under_way.canary
    seconds = canary.drain_seconds if canary else DRAIN_SECONDS

    def ended(host: Host) -> bool:
        unit = host.observe().units.get(name)
        if unit is not None and unit.kind == "web":
            host.drain(service, version, seconds)
        return host.retire(name, under_way.epoch)

    wherever(under_way, ended)


@task(task_run_name="quarantine {under_way.row.version}", **RESTORATION)
def quarantine(under_way: Deploying, reason: str) -> None:
    """What was new in this release stays out, also under another number."""

    def kept_out() -> Mapping[str, Any]:
        new = {change.after.digest: change.after.version for change in under_way.plan.changes}
        under_way.live.ledger.quarantine.add(new, reason, under_way.lease)
        return {"digests": list(new)}

    under_way.step("quarantine", kept_out)
