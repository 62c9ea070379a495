"""Build once: one artifact per service, and the manifest whose digests are what moves."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from blocks.artifacts import Ingredients
from blocks.environments import requirements_digest
from blocks.images import ImageIngredients
from blocks.ledger import Journal
from blocks.shop import Live
from domain.artifact import Artifact, tied
from domain.digest import digest_of
from domain.errors import Failed
from domain.evidence import Evidence
from domain.journal import Release
from domain.manifest import Manifest, Part, to_record
from domain.shop import Image
from tasks.deployment import WAIT_MARGIN_SECONDS, manifest_of

LEASE_SECONDS = 30.0
SITE_IN_CONTEXT = ".tradewind/site"
"""Where a Dockerfile finds the locked requirements, installed."""


@contextmanager
def building(live: Live, release: Release, owner: str) -> Iterator[Journal]:
    """One executor at a time tests and builds a release."""
    name = f"release {release.version}"
    seconds = min(LEASE_SECONDS, *(live.environment(p).lease_seconds for p in release.route))
    with live.ledger.exclusive(name, owner, seconds, seconds + WAIT_MARGIN_SECONDS) as lease:
        yield live.ledger.journal(f"release:{release.version}", lease)


def build_all(
    live: Live, release: Release, journal: Journal, evidence: Mapping[str, Evidence]
) -> Manifest:
    """Builds every service asked for, takes the others from what serves, records the manifest."""
    running = {name: build.submit(live, release, journal, name) for name in release.services}
    artifacts = {name: future.result() for name, future in running.items()}
    untied = [one for name, made in artifacts.items() for one in tied(evidence[name], made)]
    if untied:
        raise Failed(*untied)
    return record_manifest(live, release, artifacts, evidence)


@task(task_run_name="build {service}", cache_policy=NO_CACHE)
def build(live: Live, release: Release, journal: Journal, service: str) -> Artifact:
    """The artifact of one service at the release's commit, complete or not there."""
    return Artifact(**journal.once(f"build {service}", lambda: built(live, release, service)))


def built(live: Live, release: Release, service: str) -> Mapping[str, Any]:
    """The artifact's record, kept where ``live`` keeps its artifacts."""
    declared = live.service(service)
    with (
        live.exported(release.commit, (declared.requirements,)) as requirements,
        live.exported(release.commit, sources(live, service)) as source,
    ):
        locked = requirements / declared.requirements
        made_of = Ingredients(
            service,
            source,
            live.environments.site(locked),
            live.repository.tree_digest(release.commit, declared.paths),
            requirements_digest(locked),
        )
        if declared.image is None:
            return vars(live.artifacts.build(made_of))
        return vars(_image(live, release, declared.image, made_of))


def _image(live: Live, release: Release, image: Image, made_of: Ingredients) -> Artifact:
    """Built from the commit, with the locked requirements beside it; pushed where there is a place.

    The digest is the image's id: what a host verifies, wherever it has the image from.
    """
    shutil.copytree(made_of.site, made_of.source / SITE_IN_CONTEXT)
    ingredients = ImageIngredients(
        made_of.service,
        release.version,
        release.version,
        release.commit,
        release.committed_at,
        made_of.source,
        image.dockerfile,
        image.arguments,
        digest_of(
            [
                live.repository.tree_digest(release.commit, sources(live, made_of.service)),
                made_of.requirements_digest,
            ]
        ),
    )
    built = live.images.push(ingredients, live.images.build(ingredients))
    return Artifact(
        made_of.service,
        built.digest,
        built.size,
        made_of.source_digest,
        made_of.requirements_digest,
        built.reference,
    )


def sources(live: Live, service: str) -> tuple[str, ...]:
    """Paths of the repository that go into a service, its Dockerfile included."""
    declared = live.service(service)
    return (*declared.paths, *((declared.image.dockerfile,) if declared.image else ()))


@task(task_run_name="manifest of {release.version}", cache_policy=NO_CACHE)
def record_manifest(
    live: Live,
    release: Release,
    artifacts: Mapping[str, Artifact],
    evidence: Mapping[str, Evidence],
) -> Manifest:
    """Immutable from here on; a service whose digest did not change keeps its older unit."""
    if live.ledger.releases.get(release.version).state != "open":
        return manifest_of(live, release.version)
    migrations = live.shop.migrations
    manifest = Manifest(
        release.version,
        release.commit,
        live.configuration,
        live.repository.tree_digest(release.commit, [migrations.path]) if migrations else "",
        tuple(_part(live, release, name, artifacts, evidence) for name in live.shop.services),
    )
    live.ledger.releases.record_manifest(release.version, to_record(manifest))
    return manifest


def _part(
    live: Live,
    release: Release,
    service: str,
    artifacts: Mapping[str, Artifact],
    evidence: Mapping[str, Evidence],
) -> Part:
    """From what was built, under the version that first carried its digest."""
    if service not in artifacts:
        before = _before(live, release, service)
        assert before is not None  # the cut refuses to leave out what was never released
        return before
    made = artifacts[service]
    older = _before(live, release, service)
    version = older.version if older and older.digest == made.digest else release.version
    kind = live.service(service).kind
    return Part(service, kind, made.digest, version, evidence[service].digest, made.reference)


def _before(live: Live, release: Release, service: str) -> Part | None:
    """The service as it serves at the route's end or beginning, by the manifest it came with."""
    for place in (release.route[-1], release.route[0]):
        done = live.ledger.deployments.done(place)
        if done:
            return manifest_of(live, done[0].version).part(service)
    return None
