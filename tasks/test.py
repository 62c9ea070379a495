"""Gates: each service's own tests, in its own environment, on exactly the commit of the release."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from blocks.database.changes import built_anew
from blocks.database.migrators import Scripts
from blocks.environments import requirements_digest
from blocks.gates import GateRun, run_gate
from blocks.ledger import Journal
from blocks.shop import Live
from domain.errors import Refused
from domain.evidence import Evidence, from_record
from domain.journal import Release


@dataclass(frozen=True)
class Manner:
    """How a gate is run: in which folder of the release's reports, with which of pytest's options.

    The usual ones are a release's own.
    """

    folder: str = ""
    pytest: str = ""


USUAL = Manner()


def test_all(live: Live, release: Release, journal: Journal) -> dict[str, Evidence]:
    """All services' gates side by side; Refused names every one that did not pass."""
    running = {name: test.submit(live, release, journal, name) for name in release.services}
    evidence = {name: future.result() for name, future in running.items()}
    reasons = [f"{name}: {reason}" for name, seen in evidence.items() for reason in seen.reasons]
    if reasons:
        raise Refused(*reasons)
    return evidence


@task(task_run_name="test {service}", cache_policy=NO_CACHE)
def test(live: Live, release: Release, journal: Journal, service: str) -> Evidence:
    """The evidence of one service, from the ledger when this release already has it."""
    return from_record(
        journal.once(f"test {service}", lambda: tested(live, release, service, USUAL))
    )


def tested(live: Live, release: Release, service: str, manner: Manner) -> Mapping[str, Any]:
    """Its evidence's record: an export of its own paths, and a migrated database of its own."""
    declared = live.service(service)
    with (
        live.exported(release.commit, needed_by(live, service)) as source,
        live.database(release.route[0]).scratch() as database,
    ):
        if live.shop.migrations:
            locked = live.service(live.shop.migrations.service).requirements
            site = live.environments.site(source / locked)
            own = live.variables(release.route[0], live.shop.migrations.service)
            scripts = Scripts(source, live.shop.migrations.path, site, own)
            built_anew(scripts, live.shop.migrations, database)
        requirements = source / declared.test.requirements
        return asdict(
            run_gate(
                GateRun(
                    service,
                    declared.test,
                    source,
                    live.environments.site(requirements),
                    live.repository.tree_digest(release.commit, declared.paths),
                    requirements_digest(requirements),
                    {"DATABASE_URL": database.url},
                    live.state / "reports" / release.version / manner.folder / service,
                    manner.pytest,
                )
            )
        )


def needed_by(live: Live, service: str) -> tuple[str, ...]:
    """Paths of the repository that testing and building a service take."""
    declared = live.service(service)
    migrations = live.shop.migrations
    schema = (migrations.path, live.service(migrations.service).requirements) if migrations else ()
    paths = (*declared.paths, declared.requirements, declared.test.requirements, *schema)
    return tuple(dict.fromkeys(paths))
