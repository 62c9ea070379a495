"""Releases to a fleet over SSH while customers buy on every host; hosts die and come back."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import pytest
import yaml

from blocks import prefect_runs as runs
from blocks.hosts import Host
from deployments.hosts import check
from deployments.stack.processes import until
from domain.errors import Fenced
from domain.host import Observed
from tasks.deployment import scope_of
from tests.blocks.test_ssh import TOOLS, door_command
from tests.flows.executor import Executors, carry_on, created, execute_all_but
from tests.flows.world import Settings, World, opened, smallest, soon_taken_over
from tests.sshd import Fleet, Sshd, require_sshd

pytestmark = [pytest.mark.story, pytest.mark.long, pytest.mark.customers, pytest.mark.timeout(400)]

RUN_SECONDS = 120.0
PROXIES = ("envoy", "haproxy", "envoy")


@dataclass(frozen=True)
class FleetWorld:
    world: World
    fleet: Fleet

    @property
    def hosts(self) -> tuple[Host, ...]:
        return self.world.live.hosts("production")

    def serving(self) -> list[str]:
        """What has all the traffic, host by host."""
        return [served(host.observe()) for host in self.hosts]

    def roll(self, **rollout: str) -> None:
        """From the next run on, hosts get a new version in another way."""
        file = self.world.live.path
        settings = yaml.safe_load(file.read_text())
        settings["environments"]["production"]["rollout"] = rollout
        file.write_text(yaml.safe_dump(settings, sort_keys=False))

    def touch(self, what: str) -> None:
        """Commits a storefront that differs in a comment."""
        file = self.world.folder / "storefront" / "__init__.py"
        file.write_text(f"{file.read_text()}# {what}\n")
        self.world.sample.commit(what)

    def reconciled(self) -> None:
        shop = self.world.live.shop.shop
        ended = runs.follow(runs.start(f"reconcile/{shop}", {"shop": shop}), RUN_SECONDS)
        assert ended.completed, ended

    def dropped(self) -> list[object]:
        return [line for line in self.world.street.seen() if line["outcome"] == "dropped"]

    def steps(self, run: UUID) -> list[str]:
        release = self.world.release(run)
        if release is None:
            return []
        rows = self.world.live.ledger.deployments.of_release(release.version)
        return [step.name for row in rows for step in self.world.live.ledger.steps(scope_of(row))]


def served(observed: Observed) -> str:
    return ", ".join(
        f"{unit.version} {unit.weight}" for unit in observed.units.values() if unit.weight
    )


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    require_sshd()
    with Fleet(tmp_path_factory.mktemp("fleet"), len(PROXIES), door_command()) as started:
        yield started


@pytest.fixture(scope="module")
def here(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FleetWorld]:
    """Three hosts, one of which may be missing; the first version is live on them."""

    def over_ssh(settings: Settings) -> None:
        smallest(settings)
        soon_taken_over(settings)
        settings["environments"]["production"] |= {
            "hosts": [
                described(sshd, number, fleet.user) for number, sshd in enumerate(fleet.hosts)
            ],
            "ssh": {"key": "${file:keys/production}", "connect_seconds": 2, "step_seconds": 20},
            "rollout": {"max_unavailable": "1"},
        }

    folder = tmp_path_factory.mktemp("fleet-shop") / "shop"
    keys = folder / ".tradewind" / "keys"
    keys.mkdir(parents=True)
    (keys / "production").write_text(fleet.key.read_text())
    with opened(folder, over_ssh) as world:
        opening = FleetWorld(world, fleet)
        try:
            release = world.released()
            assert release.state == "released", release.outcome
            world.street.open_doors()
            yield opening
            world.street.close_doors()
        finally:
            for host in opening.hosts:
                host.shutdown()


def described(sshd: Sshd, number: int, user: str) -> dict[str, object]:
    return {
        "name": f"host-{number}", "address": sshd.address, "port": sshd.port, "user": user,
        "host_key": sshd.host_key, "proxy": PROXIES[number], "tools": TOOLS,
    }  # fmt: skip


def test_every_host_is_fit_and_serves_and_one_of_them_works(here: FleetWorld) -> None:
    (version,) = set(here.serving())

    assert version.endswith(" 100")
    assert [one for one in check(here.world.live, "production") if not one.good] == []
    roles = [
        unit.role
        for host in here.hosts
        for unit in host.observe().units.values()
        if unit.service == "order-sync"
    ]
    assert roles == ["working", "standby", "standby"]


def test_a_canary_by_host_brings_every_host_over(here: FleetWorld) -> None:
    here.roll(strategy="canary-by-host", max_unavailable="1")
    here.touch("by host")
    run = here.world.start()
    assert runs.follow(run, RUN_SECONDS).completed

    release = here.world.release(run)
    assert release is not None
    assert here.serving() == [f"{release.version} 100"] * 3
    assert "watch storefront 2 of 3 hosts" in here.steps(run)
    assert here.dropped() == []


def test_an_executor_that_dies_between_two_hosts_of_a_wave_is_taken_over(
    here: FleetWorld,
) -> None:
    (before,) = set(here.serving())
    here.roll(strategy="blue-green", max_unavailable="1")
    here.touch("dies between hosts")
    run, executors = created(here.world, "main"), Executors(here.world)

    assert not executors.survived(execute_all_but, str(run), "host-1", 2)
    release = here.world.release(run)
    assert release is not None
    after = f"{release.version} 100"
    assert here.serving() == [after, before, after]
    assert executors.survived(carry_on, str(run))

    assert here.serving() == [after] * 3
    assert here.world.live.ledger.releases.get(release.version).state == "released"
    assert here.dropped() == []


def test_one_host_may_be_away_and_is_brought_over_when_it_returns(here: FleetWorld) -> None:
    here.roll(strategy="rolling", batch="1", max_unavailable="1")
    here.touch("one away")
    away = here.fleet.hosts[2]
    away.stop()

    run = here.world.start()
    assert runs.follow(run, RUN_SECONDS).completed
    release = here.world.release(run)
    assert release is not None
    assert {"without host-2", "route storefront 1 of 2 hosts"} <= set(here.steps(run))
    epoch = here.hosts[0].observe().epoch

    away.start()
    here.reconciled()

    assert here.serving() == [f"{release.version} 100"] * 3
    returned = here.hosts[2]
    assert returned.observe().epoch > epoch
    with pytest.raises(Fenced, match=f"epoch {epoch} is over"):
        returned.route("storefront", {release.version: 100}, epoch)
    assert here.dropped() == []


def test_below_the_quorum_nothing_switches_and_what_did_goes_back(here: FleetWorld) -> None:
    before = here.serving()
    here.roll(strategy="rolling", batch="1", max_unavailable="1")
    here.touch("half dies")
    run = here.world.start()
    assert until(lambda: "route storefront 1 of 3 hosts" in here.steps(run), RUN_SECONDS)

    for sshd in here.fleet.hosts[1:]:
        sshd.stop()
    assert runs.follow(run, RUN_SECONDS).name == "Restored"

    release = here.world.release(run)
    assert release is not None
    assert "2 of 3 hosts missing against 1 allowed" in release.outcome
    assert served(here.hosts[0].observe()) == before[0]
    for sshd in here.fleet.hosts[1:]:
        sshd.start()
    here.reconciled()
    assert here.serving() == before
    assert here.dropped() == []
    assert here.world.live.ledger.verify() == ()
