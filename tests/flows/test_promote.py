"""The night's release to staging, the same digests on to production, and what drifted since."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import psycopg
import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.states import Crashed

from blocks import prefect_runs as runs
from blocks.prefect_server import PrefectServer
from blocks.shop import Live
from deployments.apply import apply
from deployments.stack.processes import until
from domain.journal import Deployment
from flows.nightly import nightly
from tasks.compare import STEP_NAME
from tasks.deployment import scope_of
from tasks.nightly import find_head, start_release
from tasks.stranded import wake_promotions
from tests.flows.world import Settings, World, opened, quick

pytestmark = [pytest.mark.story, pytest.mark.long, pytest.mark.timeout(400)]

RUN_SECONDS = 180.0
LACKED = "variable GIFT_WRAP of storefront: staging has it, production lacks it"


def staged(settings: Settings) -> None:
    """One web service; staging has a variable that production lacks, production asks a person."""
    quick(settings)
    staging, production = (settings["environments"][name] for name in ("staging", "production"))
    for name in ("canary", "checks", "channels", "environment"):
        del production[name]
    production |= {"approve_schema": True, "lease_seconds": 1}
    staging |= {"environment": {"GIFT_WRAP": "paper"}, "lease_seconds": 1}
    settings["services"] = {"storefront": settings["services"]["storefront"]}
    settings["nightly"] = {"cron": "30 2 * * *", "time_zone": "Asia/Shanghai"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """With nothing released; production's database has something to lose."""
    with opened(tmp_path_factory.mktemp("promote") / "shop", staged) as opening:
        opening.sample.branch("develop", "0001")
        with psycopg.connect(opening.live.database_url("production")) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 1 AS dear")
        yield opening


def tradewind(world: World, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """The command line as a person calls it."""
    command = [sys.executable, "-m", "deployments.cli", "--shop", str(world.live.path), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=RUN_SECONDS, check=False)


def cut_off(world: World, **more: Any) -> UUID:
    """A promotion's run whose process is dead."""
    request = {"from_environment": "staging", "to_environment": "production", **more}
    shop = world.live.shop.shop
    asked = {"shop": shop, "request": {**request, "requested_by": "Ann"}}
    with get_client(sync_client=True) as client:
        deployment = client.read_deployment_by_name(f"promote/{shop}")
        run = client.create_flow_run_from_deployment(
            deployment.id, parameters=asked, state=Crashed()
        )
        return run.id


def artifact(key: str) -> str:
    """The newest artifact of a key."""
    wanted = ArtifactFilter(key=ArtifactFilterKey(any_=[key]))
    with get_client(sync_client=True) as client:
        found = client.read_artifacts(artifact_filter=wanted)
    return str(max(found, key=lambda one: str(one.created)).data)


def compared(world: World, row: Deployment) -> dict[str, Any]:
    """What the ledger keeps of a promotion's comparison."""
    (step,) = (one for one in world.live.ledger.steps(scope_of(row)) if one.name == STEP_NAME)
    return dict(step.outcome)


def test_the_night_has_its_time_zone_and_loses_its_schedule_with_its_entry(world: World) -> None:
    name = f"nightly/{world.live.shop.shop}"
    without = Live(world.live.path, world.live.state)
    without.shop = replace(without.shop, nightly=None)

    assert apply(world.live, PrefectServer()) == ()
    assert PrefectServer().deployment(name) == PrefectServer().deployment(name) | {
        "schedule": {"cron": "30 2 * * *", "time_zone": "Asia/Shanghai"}
    }
    changed = [str(one) for one in apply(without, PrefectServer())]
    assert changed == [f"change deployment {name} (schedule)"]
    assert apply(without, PrefectServer()) == ()
    assert [str(one) for one in apply(world.live, PrefectServer())] == changed


def test_a_night_that_was_turned_away_is_not_the_heads_only_chance(world: World) -> None:
    head = find_head.fn(world.live)
    shop = world.live.shop.shop
    turned_away = runs.start(
        f"release/{shop}",
        {"shop": shop, "request": {"ref": "nowhere", "requested_by": "nightly"}},
        f"nightly:{head.commit}",
    )
    assert runs.follow(turned_away, RUN_SECONDS).name == "Refused"

    run = start_release.fn(world.live, head, None)

    assert run != turned_away
    assert start_release.fn(world.live, head, None) == run


def test_the_head_of_develop_goes_to_staging_once(world: World) -> None:
    shop = world.live.shop.shop
    head = world.live.repository.resolve("develop")

    first = runs.follow(runs.start(f"nightly/{shop}", {"shop": shop}), RUN_SECONDS)
    again = nightly(shop, return_state=True)

    (release,) = world.live.ledger.releases.all()
    assert (release.commit, release.route, release.state) == (head, ("staging",), "released")
    assert (again.name, first.name) == ("Unchanged", "Completed"), (first, again)
    assert f"{head[:10]} is unchanged: {release.version} released" in str(again.message)
    assert world.weights("staging") == {f"storefront@{release.version}": 100}
    assert "of `develop`: 0001-gift-notes" in artifact("nightly-report")


def test_what_the_target_lacks_refuses_the_promotion(world: World) -> None:
    asked = ("promote", "--from", "staging", "--to", "production", "--by", "Ann", "--json")

    ran = tradewind(world, *asked)

    assert ran.returncode == 2, ran.stderr
    assert json.loads(ran.stdout)["message"] == LACKED
    (row,) = world.live.ledger.deployments.of_environment("production")
    assert (row.state, row.reason) == ("refused", LACKED)
    assert compared(world, row)["against"] == [LACKED]
    assert "| variable GIFT_WRAP of storefront |" in artifact("comparison")
    assert world.weights() == {}


def test_a_promotion_that_was_cut_off_is_woken_and_brings_the_same_digests(world: World) -> None:
    deployments = world.live.ledger.deployments
    version = deployments.done("staging")[0].version
    run = cut_off(world, accept_differences=True)
    row = deployments.open(version, "production", "release", str(run), "Ann")

    assert until(lambda: woken(world, run), RUN_SECONDS)
    assert runs.follow(run, RUN_SECONDS).waits, runs.state(run)
    ran = tradewind(world, "approve", version, "--by", "Bo", "--json")

    assert ran.returncode == 0, ran.stdout
    assert deployments.get(row.id).state == "done"
    assert deployments.serving("production") == deployments.serving("staging")
    assert world.weights() == world.weights("staging")
    assert compared(world, row)["accepted_by"] == "Ann"
    assert world.live.ledger.verify() == ()


def woken(world: World, run: UUID) -> bool:
    wake_promotions.fn(world.live, ())
    return PrefectServer().state_of(str(run)) not in ("CRASHED", "")


def test_what_a_promotion_without_a_run_opened_is_closed(world: World) -> None:
    deployments = world.live.ledger.deployments
    version = deployments.done("staging")[0].version
    row = deployments.open(version, "production", "release", "a run that is gone", "Ann")

    def closed() -> bool:
        wake_promotions.fn(world.live, ())
        return deployments.get(row.id).finished

    assert until(closed, RUN_SECONDS)
    assert deployments.get(row.id).state == "refused"
    assert world.weights() == world.weights("staging")


def test_the_form_offers_environments_and_versions(world: World) -> None:
    versions = [release.version for release in world.live.ledger.releases.all()]
    declared = PrefectServer().deployment(f"promote/{world.live.shop.shop}")
    assert declared is not None

    (form,) = declared["parameter_openapi_schema"]["definitions"].values()

    assert form["properties"]["from_environment"]["enum"] == ["staging", "production"]
    assert form["properties"]["version"]["enum"] == ["", *versions]


def test_drift_is_told_with_host_found_and_expected(world: World) -> None:
    well = tradewind(world, "drift", "--json")
    ((name, unit),) = world.live.hosts("production")[0].observe().units.items()
    place = world.live.state / "hosts" / "production-1" / "units" / f"{name}.json"
    other = "sha256:" + "0" * 64

    with world.live.ledger.exclusive("production", "nobody may put it right", 60, RUN_SECONDS):
        place.write_text(place.read_text().replace(unit.digest, other))
        ran = tradewind(world, "drift", "production", "--json")

    assert (well.returncode, json.loads(well.stdout)) == (0, {"drift": [], "under way": []})
    assert ran.returncode == 1
    (found,) = json.loads(ran.stdout)["drift"]
    assert found == {
        "environment": "production", "host": "production-1", "service": "storefront",
        "what": "digest", "found": other[:19], "expected": unit.digest[:19],
    }  # fmt: skip
