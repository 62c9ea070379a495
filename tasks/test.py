"""Gates: each service's own tests, in its own environment, on exactly the commit of the release."""

from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from blocks.shop import Live
from domain.errors import Failed
from domain.evidence import Evidence
from domain.journal import Release


def test_all(live: Live, release: Release) -> dict[str, Evidence]:
    """All services' gates side by side; Failed names every one that did not pass."""
    running = {name: test.submit(live, release, name) for name in release.services}
    evidence = {name: future.result() for name, future in running.items()}
    reasons = [f"{name}: {reason}" for name, seen in evidence.items() for reason in seen.reasons]
    if reasons:
        live.ledger.releases.set_state(release.version, "refused", "; ".join(reasons))
        raise Failed(*reasons)
    return evidence


@task(task_run_name="test {service}", cache_policy=NO_CACHE)
def test(live: Live, release: Release, service: str) -> Evidence:
    """The evidence of one service, from the ledger when this release already has it."""
    journal = live.ledger.journal(f"release:{release.version}")
    record = journal.once(f"test {service}", lambda _key: _run(live, release, service))
    return Evidence(**{**record, "reasons": tuple(record["reasons"])})


def _run(live: Live, release: Release, service: str) -> dict[str, Any]:
    declared = live.service(service)
    with live.exported(release.commit, declared.paths) as folder:
        ...
