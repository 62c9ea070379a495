"""Traffic: weights a slice at a time, a verdict at each, and what was seen on the way."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

from prefect import task
from prefect.artifacts import create_progress_artifact, update_progress_artifact

from domain.canary import Policy, Verdict, judge
from domain.errors import BadRelease, Failed
from domain.host import Served
from domain.plan import Change
from domain.rollout import Wave, at_once, waves
from domain.shop import Canary
from tasks.deployment import Deploying
from tasks.errors import Errors
from tasks.fleet import everywhere, everywhere_shown
from tasks.going import may_go_on
from tasks.retries import STEP

NOTHING_SLOW_MS = 1e9


def shift_traffic(under_way: Deploying) -> None:
    """Customers move to the candidates, service by service."""
    for change in under_way.plan.web:
        shift(under_way, change)
    under_way.advance("switched")


def shift(under_way: Deploying, change: Change) -> None:
    """All waves in turn; where nothing served before, or on the way back, all traffic at once."""
    canary = under_way.canary
    hosts = [host.name for host in under_way.hosts]
    rollout = under_way.declared.rollout
    if change.before is None or under_way.row.kind == "rollback":
        route(under_way, change, at_once(hosts)[0])
        return
    if canary is None:
        for wave in waves(rollout, (100,), hosts):
            may_go_on(under_way)
            route(under_way, change, wave)
        return
    under_way.advance("canary")
    slow_ms = slow_above(under_way, change, canary)
    for wave in waves(rollout, canary.weights, hosts):
        may_go_on(under_way)
        route(under_way, change, wave)
        watch(under_way, change, wave, slow_ms)


def slow_above(under_way: Deploying, change: Change, canary: Canary) -> float:
    """In milliseconds: the baseline's 95 %, fixed beforehand, and at least the floor."""
    assert change.before is not None  # a canary has a baseline
    before = change.before.version

    def measured() -> Mapping[str, Any]:
        seen = everywhere(
            under_way,
            lambda host: host.counts(change.service, 0, NOTHING_SLOW_MS).of(before).p95_ms,
        )
        return {"ms": max(*seen.values(), canary.slow_floor_ms)}

    return float(under_way.step(f"baseline of {change.service}", measured)["ms"])


@task(task_run_name="{change.service}: {wave.name} on {change.after.version}", **STEP)
def route(under_way: Deploying, change: Change, wave: Wave) -> None:
    """The candidate gets the wave's share of every host; the rest stays where it was."""
    under_way.step(f"route {change.service} {wave.name}", lambda: _routed(under_way, change, wave))


def _routed(under_way: Deploying, change: Change, wave: Wave) -> Mapping[str, Any]:
    cursors = everywhere_shown(
        under_way,
        f"route {change.service} {wave.name}",
        lambda host: host.route(
            change.service, _weights(change, wave.weights[host.name]), under_way.epoch
        ),
    )
    return {
        "weights": dict(wave.weights),
        "at": datetime.now(UTC).isoformat(),
        "cursors": cursors,
    }


def _weights(change: Change, weight: int) -> dict[str, int]:
    """By version: ``weight`` percent for the candidate, the rest for what served before."""
    if change.before is None:
        return {change.after.version: 100}
    both = {change.after.version: weight, change.before.version: 100 - weight}
    return {version: share for version, share in both.items() if share}


@task(task_run_name="{change.service}: verdict at {wave.name}", **STEP)
def watch(under_way: Deploying, change: Change, wave: Wave, slow_ms: float) -> None:
    """Looks until there is a verdict or no time is left; only *promote* goes on."""
    seen = under_way.step(
        f"watch {change.service} {wave.name}", lambda: _watched(under_way, change, wave, slow_ms)
    )
    what = f"{change.service} at {shown(wave)}: {'; '.join(seen['reasons'])}"
    if seen["decision"] == "restore":
        raise BadRelease(what)
    if seen["decision"] != "promote":
        raise Failed(f"inconclusive, so not promoted: {what}")


def shown(wave: Wave) -> str:
    return f"{wave.name} %" if wave.name.isdigit() else wave.name


def _watched(under_way: Deploying, change: Change, wave: Wave, slow_ms: float) -> Mapping[str, Any]:
    canary = under_way.canary
    assert canary is not None  # only then there is something to watch
    progress = cast(
        UUID,  # in a synchronous flow
        create_progress_artifact(
            float(wave.share),
            key=f"canary-{change.service}",
            description=f"{shown(wave)} of traffic",
        ),
    )
    routed = under_way.outcome(f"route {change.service} {wave.name}")
    errors = Errors(under_way, change, datetime.fromisoformat(routed["at"]))
    begun, points = time.monotonic(), []
    while True:
        candidate, baseline = _arms(under_way, change, routed["cursors"], slow_ms)
        points.append(_point(wave.share, candidate, baseline))
        verdict = judge(candidate, baseline, _policy(under_way, change, canary))
        verdict = errors.beside(verdict, (candidate, baseline))
        elapsed = time.monotonic() - begun
        if _concluded(verdict, wave.share, elapsed, canary):
            verdict = errors.proven(verdict, (candidate, baseline))
            update_progress_artifact(progress, float(wave.share), verdict.reasons[0])
            return {
                "decision": verdict.decision,
                "reasons": verdict.reasons,
                "points": points,
                "errors": errors.recorded(),
            }
        time.sleep(canary.poll_seconds)


def _concluded(verdict: Verdict, weight: int, elapsed: float, canary: Canary) -> bool:
    """The last weight bakes for a while, however good it looks."""
    if verdict.decision == "restore" or elapsed >= canary.step_timeout_seconds:
        return True
    least = canary.bake_seconds if weight == 100 else 0
    return verdict.decision == "promote" and elapsed >= least


def _policy(under_way: Deploying, change: Change, canary: Canary) -> Policy:
    return Policy(
        canary.alpha,
        under_way.live.service(change.service).max_error_rate,
        canary.hard_guard_failures,
        canary.hard_guard_requests,
    )


def _arms(
    under_way: Deploying, change: Change, cursors: Mapping[str, int], slow_ms: float
) -> tuple[Served, Served]:
    """Realised counts of both versions since the weight was set, over all hosts."""
    seen = everywhere(
        under_way,
        lambda host: host.counts(change.service, cursors[host.name], slow_ms),
    ).values()
    before = change.before.version if change.before else ""
    return (
        _sum([counts.of(change.after.version) for counts in seen]),
        _sum([counts.of(before) for counts in seen]),
    )


def _sum(arms: list[Served]) -> Served:
    names = ("requests", "errors", "first_errors", "slow")
    return Served(**{name: sum(getattr(arm, name) for arm in arms) for name in names})


def _point(weight: int, candidate: Served, baseline: Served) -> dict[str, Any]:
    return {
        "at": datetime.now(UTC).isoformat(),
        "weight": weight,
        "candidate": [candidate.requests, candidate.errors],
        "baseline": [baseline.requests, baseline.errors],
    }
