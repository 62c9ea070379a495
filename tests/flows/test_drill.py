"""Drills on the sample shop: everything is broken on staging once, and the way back is measured."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from prefect.client.orchestration import get_client

from blocks import prefect_runs as runs
from blocks.prefect_runs import Ended
from domain.drills.judgement import Drill
from tasks.deployment import scope_of
from tests.flows.world import Settings, World, opened, quick

pytestmark = [pytest.mark.story, pytest.mark.timeout(400)]

RUN_SECONDS = 180.0


def drills_on_staging(settings: Settings) -> None:
    """One web service and one worker, on staging and beyond."""
    quick(settings)
    production = settings["environments"]["production"]
    production |= {"channels": {"amazon-us": production["channels"]["amazon-us"]}, "canary": None}
    production["checks"] |= {"windows": 2, "sql_above_rows": 0}
    settings["environments"]["staging"]["lease_seconds"] = 10
    del settings["services"]["inventory-sync"]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Two versions were on staging, none beyond."""
    with opened(tmp_path_factory.mktemp("drill") / "shop", drills_on_staging) as opening:
        assert opening.released(until="staging").state == "released"
        file = opening.folder / "storefront" / "__init__.py"
        file.write_text(f"{file.read_text()}# another version\n")
        opening.sample.commit("Another version")
        assert opening.released(until="staging").state == "released"
        yield opening


def test_all_four_drills_are_measured_and_leave_staging_as_it_was(world: World) -> None:
    before = world.weights("staging"), world.working("staging")

    ended = drilled(world, "all")

    assert ended.completed, ended.message
    found = latest(world)
    assert list(found) == ["service", "host", "database", "rollback"]
    assert {one.result for one in found.values()} == {"passed"}, found
    assert all(one.rto_seconds and one.rto_seconds > 0 for one in found.values())
    assert all(one.rpo_seconds == 0 for one in found.values())
    assert "came back by itself" in str(found["service"].evidence)
    assert found["database"].evidence["orders of the drill's own"] == "5 of 5 are there again"
    assert (world.weights("staging"), world.working("staging")) == before
    assert own_orders(world) == []
    assert list((world.live.state / "drills" / "staging").iterdir()) == []
    assert world.live.ledger.verify() == ()
    text = report()
    assert "# Drills: all of them are good" in text
    for one in found.values():
        assert f"| {one.kind} | staging | ✓ passed |" in text


def test_a_missed_recovery_time_stops_production_until_a_drill_passes(world: World) -> None:
    agree(world, failed="refuse", rto_seconds=0.01)
    missed = drilled(world, "service")
    refused = world.released()
    agree(world, failed="refuse", rto_seconds=60)
    passed = drilled(world, "service")
    released = world.released()

    assert missed.name == "Failed"
    assert "against 0.01 s" in missed.message
    assert refused.state == "refused"
    assert "the drill 'service' failed last: recovered after" in refused.outcome
    assert passed.completed, passed.message
    assert released.state == "released", released.outcome
    row = world.deployment(released.version, "production")
    steps = {step.name: step.outcome for step in world.live.ledger.steps(scope_of(row))}
    assert steps["drills"] == {"reasons": []}


def drilled(world: World, kind: str) -> Ended:
    """By Ann, through Prefect's API."""
    shop = world.live.shop.shop
    request = {"kind": kind, "requested_by": "Ann"}
    return runs.follow(runs.start(f"drill/{shop}", {"shop": shop, "request": request}), RUN_SECONDS)


def latest(world: World) -> dict[str, Drill]:
    """The newest drill of each kind, in the order in which they were begun."""
    rows = sorted(world.live.ledger.drills.all(), key=lambda one: one.id)
    return {one.kind: one for one in rows}


def agree(world: World, *, failed: str, rto_seconds: float) -> None:
    """From the next run on."""
    file = world.live.path
    settings: dict[str, Any] = yaml.safe_load(file.read_text())
    settings["drills"]["failed"] = failed
    settings["drills"]["agreed"]["service"] = {"rto_seconds": rto_seconds}
    file.write_text(yaml.safe_dump(settings, sort_keys=False))


def own_orders(world: World) -> list[dict[str, object]]:
    query = "SELECT id FROM orders WHERE channel = 'drill'"
    return world.live.database("staging").rows(query, {})


def report() -> str:
    """As people read it in the UI."""
    with get_client(sync_client=True) as client:
        key = {"key": "drill-report"}
        answer = client.request("GET", "/artifacts/{key}/latest", path_params=key)
        return str(answer.json()["data"])
