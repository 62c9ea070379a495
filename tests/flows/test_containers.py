"""Releases of the sample's storefront as a container: by layers, by registry, and back again."""

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest
import yaml

from blocks import prefect_runs as runs
from deployments.stack.postgres import Postgres
from domain.journal import Release
from tasks.deployment import manifest_of, scope_of
from tests.engines import BASE, PASSWORD, USER, Engine, Registry
from tests.flows.world import Settings, World, opened, smallest

pytestmark = [pytest.mark.story, pytest.mark.long, pytest.mark.customers, pytest.mark.timeout(400)]

RUN_SECONDS = 120.0


@dataclass(frozen=True)
class ContainerWorld:
    world: World
    engine: Engine

    def touch(self, what: str) -> None:
        file = self.world.folder / "storefront" / "__init__.py"
        file.write_text(f"{file.read_text()}# {what}\n")
        self.world.sample.commit(what)

    def containers(self) -> list[str]:
        listed = self.engine.docker("ps", "--format", "{{.Names}}").stdout.split()
        return sorted(name.partition("storefront-")[2] for name in listed)

    def sent_bytes(self, release: Release) -> int:
        row = self.world.deployment(release.version, "production")
        (step,) = (
            step
            for step in self.world.live.ledger.steps(scope_of(row))
            if step.name == "start storefront"
        )
        return int(step.outcome["sent_bytes"]["production-1"])

    def nobody_noticed(self) -> bool:
        return all(line["outcome"] != "dropped" for line in self.world.street.seen())

    def change(self, **settings: object) -> None:
        file = self.world.live.path
        changed = {**yaml.safe_load(file.read_text()), **settings}
        file.write_text(yaml.safe_dump(changed, sort_keys=False))


@pytest.fixture(scope="module")
def here(
    builder: Engine,
    host_engine: Engine,
    postgres: Postgres,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[ContainerWorld]:
    """The first version is live, its layers having come from the builder's engine.

    It reaches the database by its socket, which belongs to the user that PostgreSQL runs as.
    """
    folder = tmp_path_factory.mktemp("containers") / "shop"

    def in_containers(settings: Settings) -> None:
        smallest(settings)
        settings["builder"] = builder.address
        settings["environments"]["production"]["hosts"][0]["engine"] = host_engine.socket
        settings["environments"]["production"]["rollout"] = {"strategy": "blue-green"}
        settings["services"]["storefront"] |= {
            "command": [],
            "image": {
                "arguments": {"BASE": BASE},
                "limits": {"memory_mb": 256, "cpus": 2, "processes": 100},
                "read_only": True,
                "user": str(postgres.folder.stat().st_uid),
                "mounts": [f"{folder}/.tradewind/postgres:{folder}/.tradewind/postgres"],
            },
        }

    with opened(folder, in_containers) as world:
        opening = ContainerWorld(world, host_engine)
        release = world.released()
        assert release.state == "released", release.outcome
        world.street.open_doors()
        yield opening
        world.street.close_doors()


def test_a_container_serves_within_its_limits(here: ContainerWorld) -> None:
    (release,) = here.world.live.ledger.releases.all()

    assert here.containers() == [release.version]
    (name,) = here.engine.docker("ps", "--format", "{{.Names}}").stdout.split()
    found = here.engine.inspect(name)
    host, labels = found["HostConfig"], found["Config"]["Labels"]  # type: ignore[index,call-overload]
    assert (host["Memory"], host["PidsLimit"]) == (256 << 20, 100)
    assert host["ReadonlyRootfs"]
    assert labels["org.tradewind.version"] == labels["org.tradewind.release"] == release.version
    assert labels["org.tradewind.commit"] == release.commit
    assert here.sent_bytes(release) > 50_000_000
    assert all(address == "127.0.0.1" for address, _ in here.engine.listening())


def test_the_next_version_sends_one_layer_and_starts_beside_the_old_one(
    here: ContainerWorld,
) -> None:
    (old,) = here.containers()
    here.touch("another")

    release = here.world.released()

    assert release.state == "released", release.outcome
    assert 0 < here.sent_bytes(release) < 100_000
    assert here.containers() == [old, release.version]
    assert here.world.weights() == {f"storefront@{release.version}": 100}
    assert here.nobody_noticed()


def test_with_a_registry_the_host_pulls_by_digest(here: ContainerWorld, registry: Registry) -> None:
    keys = here.world.live.state / "keys"
    keys.mkdir()
    (keys / "registry").write_text(PASSWORD)
    account = {"address": registry.address, "username": USER, "password": "${file:keys/registry}"}
    here.change(registry=account)
    here.touch("from a registry")

    release = here.world.released()

    assert release.state == "released", release.outcome
    part = manifest_of(here.world.live, release.version).part("storefront")
    assert part is not None
    assert part.reference.startswith(f"{registry.address}/storefront@sha256:")
    assert here.sent_bytes(release) == 0
    assert PASSWORD not in dumped(here.world)
    assert here.nobody_noticed()


def dumped(world: World) -> str:
    """Everything that the ledger and Prefect keep."""
    text = ""
    for name in ("ledger", "prefect"):
        with psycopg.connect(world.stack.postgres.url(name)) as connection:
            tables = connection.execute(
                "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'"
            ).fetchall()
            for (table,) in tables:
                rows = connection.execute(f"SELECT t::text FROM {table} t").fetchall()
                text += "\n".join(row[0] for row in rows)
    return text


def test_the_version_before_is_there_for_the_way_back(here: ContainerWorld) -> None:
    newest, before = (
        row.version for row in here.world.live.ledger.deployments.done("production")[:2]
    )
    shop = here.world.live.shop.shop
    request = {"environment": "production", "version": before, "requested_by": "Ann"}

    run = runs.start(f"rollback/{shop}", {"shop": shop, "request": request})
    ended = runs.follow(run, RUN_SECONDS)

    assert ended.completed, ended
    assert here.world.weights() == {f"storefront@{before}": 100}
    assert newest in here.containers()
    assert here.nobody_noticed()
