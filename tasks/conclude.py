"""The good end of a deployment: what serves is written down, and older versions are retired."""

from collections.abc import Mapping
from typing import Any

from prefect import task

from tasks.deployment import Deploying
from tasks.fleet import wherever
from tasks.restore import drain_and_retire
from tasks.retries import STEP


@task(task_run_name="record what serves in {under_way.environment}", **STEP)
def conclude(under_way: Deploying) -> None:
    serving = {change.service: change.after for change in under_way.plan.changes}

    def recorded() -> Mapping[str, Any]:
        under_way.live.ledger.deployments.serve(under_way.row, serving, under_way.lease)
        return {name: one.version for name, one in serving.items()}

    under_way.step("serving", recorded)
    under_way.advance("done")


@task(task_run_name="retire older versions in {under_way.environment}", **STEP)
def retire_older(under_way: Deploying) -> None:
    """Beside what serves, the version before stays warm for an instant way back; older ones end."""
    kept = {(c.service, c.after.version) for c in under_way.plan.changes}
    kept |= {(c.service, c.before.version) for c in under_way.plan.changes if c.before}
    kept |= {(name, one["version"]) for name, one in under_way.row.previous.items()}

    def retired() -> Mapping[str, Any]:
        moved = {change.service for change in under_way.plan.changes}
        older = {
            (unit.service, unit.version)
            for seen in wherever(under_way, lambda host: host.observe()).values()
            for unit in seen.units.values()
            if unit.service in moved and (unit.service, unit.version) not in kept
        }
        for service, version in sorted(older):
            drain_and_retire(under_way, service, version)
        wherever(under_way, lambda host: host.prune(under_way.epoch))
        return {"retired": [f"{service}@{version}" for service, version in sorted(older)]}

    under_way.step("retire older", retired)
