"""A day's work on a running stack: apply, forms, refusals, the way back, the command line."""

import json
import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId

from blocks import prefect_runs as runs
from blocks.prefect_server import PrefectServer
from deployments.apply import apply
from deployments.settings import remembered
from deployments.stack.processes import until
from tests.flows.world import Settings, World, opened, smallest

pytestmark = [pytest.mark.story, pytest.mark.timeout(400)]

RUN_SECONDS = 120.0


def plain(settings: Settings) -> None:
    """Without a canary, and with a job that runs every minute."""
    smallest(settings)
    settings["environments"]["production"]["canary"] = None
    settings["migrations"]["rollback_window_seconds"] = 0
    worker = settings["services"]["order-sync"]
    settings["services"]["stocktake"] = {
        "kind": "job",
        "command": ["python", "-c", "print('counted')"],
        "schedule": {"cron": "* * * * *", "timeout_seconds": 30},
        **{name: worker[name] for name in ("paths", "requirements", "test")},
    }


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """With two versions released one after the other."""
    with opened(tmp_path_factory.mktemp("operation") / "shop", plain) as opening:
        assert opening.released().state == "released"
        opening.sample.branch("gift-notes", "0001")
        opening.sample.merge("gift-notes")
        assert opening.released().state == "released"
        yield opening


def tradewind(world: World, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """The command line as a person calls it."""
    shop = str(world.live.path)
    command = [sys.executable, "-m", "deployments.cli", "--shop", shop, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=RUN_SECONDS, check=False)


def form(world: World, flow: str) -> dict[str, dict[str, object]]:
    """The fields of a flow's request, as the server has them."""
    shop = world.live.shop.shop
    with get_client(sync_client=True) as client:
        schema = client.read_deployment_by_name(f"{flow}/{shop}").parameter_openapi_schema
    assert schema is not None
    (request,) = schema["definitions"].values()
    return dict(request["properties"])


def test_applying_twice_changes_nothing(world: World) -> None:
    assert apply(world.live, PrefectServer()) == ()


def test_what_somebody_changed_on_the_server_is_shown_and_put_right(world: World) -> None:
    limit = f"{world.live.shop.shop}-production"
    PrefectServer().declare_limit(limit, 5)

    shown = apply(world.live, PrefectServer(), dry_run=True)

    assert [str(one) for one in shown] == [f"change limit {limit} (limit)"]
    assert apply(world.live, PrefectServer()) == shown, "a dry run must not change anything"
    assert apply(world.live, PrefectServer()) == ()


def test_starting_again_keeps_what_runs(world: World) -> None:
    before = remembered(world.live.state)

    world.stack.up()

    assert remembered(world.live.state) == before
    assert all(part.runs for part in world.stack.status())


def test_forms_offer_what_there_is(world: World) -> None:
    versions = [release.version for release in world.live.ledger.releases.all()]

    assert form(world, "release")["services"]["items"]["enum"] == [
        "storefront",
        "order-sync",
        "stocktake",
    ]
    assert form(world, "release")["until"]["enum"] == ["", "production"]
    assert form(world, "rollback")["version"]["enum"] == ["", *versions]


def test_a_job_runs_at_its_times_by_the_version_that_has_its_schedule(world: World) -> None:
    (host,) = world.live.hosts("production")
    (unit,) = (one for one in host.observe().units.values() if one.service == "stocktake")

    assert until(lambda: counted(world) != [], RUN_SECONDS)

    (at, *_) = counted(world)
    ended = host.run_state("stocktake", at)
    assert (unit.role, ended["state"], ended["exit_code"]) == ("working", "ended", 0)
    assert ended["version"] == unit.version
    assert at.endswith(":00+00:00"), "cron names whole minutes"


def counted(world: World) -> list[str]:
    """The scheduled times, ISO 8601, at which the job ran to a good end."""
    name = f"job/{world.live.shop.shop}-production-stocktake"
    with get_client(sync_client=True) as client:
        deployment = client.read_deployment_by_name(name)
        wanted = DeploymentFilter(id=DeploymentFilterId(any_=[deployment.id]))
        found = client.read_flow_runs(deployment_filter=wanted)
    return [
        run.expected_start_time.isoformat(timespec="seconds")
        for run in found
        if run.state_name == "Completed" and run.auto_scheduled and run.expected_start_time
    ]


def test_a_version_whose_tests_fail_reaches_nobody(world: World) -> None:
    before = world.weights()
    ref = world.sample.branch("failing-tests", "0004")

    release = world.released(ref)

    assert release.state == "refused"
    assert "storefront: 1 of" in release.outcome
    assert world.live.ledger.deployments.of_release(release.version) == ()
    assert world.weights() == before


def test_a_ref_that_is_nowhere_is_refused_with_its_name(world: World) -> None:
    count = len(world.live.ledger.releases.all())

    ran = tradewind(world, "release", "--by", "Ann", "--ref", "nowhere", "--json")

    assert ran.returncode == 2
    assert "ref is 'nowhere'" in json.loads(ran.stdout)["message"]
    assert len(world.live.ledger.releases.all()) == count


def test_an_order_that_the_shop_does_not_have_is_called_lost(world: World) -> None:
    promised = {"outcome": "ok", "order": "7", "key": "a key that the shop never saw"}

    found = world.street.audit([promised])

    assert (found.taken, found.lost, found.doubled) == (1, 1, 0)


def test_without_a_version_a_rollback_offers_what_fits(world: World) -> None:
    newest, first = (row.version for row in world.live.ledger.deployments.done("production"))
    shop = world.live.shop.shop
    request = {"environment": "production", "requested_by": "Ann"}

    run = runs.start(f"rollback/{shop}", {"shop": shop, "request": request})
    assert runs.follow(run, RUN_SECONDS).waits
    runs.answer(run, {"version": first})
    assert runs.follow(run, RUN_SECONDS).completed

    assert world.weights() == {f"storefront@{first}": 100}
    forward = tradewind(world, "rollback", "production", "--to", newest, "--by", "Ann", "--json")
    assert forward.returncode == 0, forward.stderr
    assert world.weights() == {f"storefront@{newest}": 100}


@pytest.mark.long
def test_a_rollback_that_the_schema_no_longer_fits_is_refused(world: World) -> None:
    before = world.weights()
    world.sample.switch("main")
    revision = world.folder / "migrations" / "versions" / "0003_shorter.py"
    shorter = "ALTER TABLE orders ALTER COLUMN gift_note TYPE varchar(9)"
    revision.write_text(
        'revision = "0003"\ndown_revision = "0002"\nfrom alembic import op\n'
        f'def upgrade():\n    op.execute("{shorter}")\n'
    )
    patch = world.folder / "storefront" / "__init__.py"
    patch.write_text(f"{patch.read_text()}# no more notes\n")
    world.sample.commit("Shorten notes, which the version before does not know")
    run = world.start()
    assert runs.follow(run, RUN_SECONDS).waits, "what loses data always takes a second person"
    release = world.release(run)
    assert release is not None
    approved = tradewind(world, "approve", release.version, "--by", "Bo", "--json")
    assert approved.returncode == 0, approved.stdout
    (version,) = {unit.partition("@")[2] for unit in before}

    ran = tradewind(world, "rollback", "production", "--to", version, "--by", "Ann", "--json")

    assert ran.returncode == 2
    assert "the schema no longer fits it" in json.loads(ran.stdout)["message"]
    assert world.weights() == {f"storefront@{release.version}": 100}


def test_the_ledger_is_green_until_somebody_alters_a_row(world: World) -> None:
    assert tradewind(world, "ledger", "verify").returncode == 0

    with psycopg.connect(world.live.ledger.url) as connection:
        connection.execute("UPDATE releases SET reason = 'another' WHERE state = 'refused'")
    ran = tradewind(world, "ledger", "verify", "--json")

    assert ran.returncode == 1
    assert "was changed behind the ledger's back" in json.loads(ran.stdout)["broken"][0]
