"""Build once: one artifact per service, and the manifest whose digests are what moves."""

from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from blocks.shop import Live
from domain.artifact import Artifact, tied
from domain.errors import Failed
from domain.evidence import Evidence
from domain.journal import Release
from domain.manifest import Manifest


def build_all(live: Live, release: Release, evidence: dict[str, Evidence]) -> Manifest:
    """Builds every service asked for, takes the others from what serves, records the manifest."""
    running = {name: build.submit(live, release, name) for name in release.services}
    artifacts = {name: future.result() for name, future in running.items()}
    untied = [one for name, made in artifacts.items() for one in tied(evidence[name], made)]
    if untied:
        raise Failed(*untied)
    return record_manifest(live, release, artifacts, evidence)


@task(task_run_name="build {service}", cache_policy=NO_CACHE)
def build(live: Live, release: Release, service: str) -> Artifact:
    """The artifact of one service at the release's commit, complete or not there."""
    journal = live.ledger.journal(f"release:{release.version}")
    return Artifact(**journal.once(f"build {service}", lambda _key: _build(live, release, service)))


def _build(live: Live, release: Release, service: str) -> dict[str, Any]:
    paths = live.service(service).paths
    with live.exported(release.commit, (*paths, live.service(service).requirements)) as folder:
        site = live.environments.site(folder / live.service(service).requirements)
        made = live.artifacts.build(
            service, folder, site, live.repository.tree_digest(release.commit, paths)
        )
    return vars(made)


@task(task_run_name="record the manifest of {release.version}", cache_policy=NO_CACHE)
def record_manifest(
    live: Live, release: Release, artifacts: dict[str, Artifact], evidence: dict[str, Evidence]
) -> Manifest:
    """Immutable from here on; a service whose digest did not change keeps its older unit."""
