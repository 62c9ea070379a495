"""Five marketplaces: a version that tells them wrong stock, and the look of every hour."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import psycopg
import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey

from blocks import prefect_runs as runs
from deployments.actions import Actions
from deployments.stack.processes import until
from domain.contracts.findings import Found
from tests.flows.world import Settings, World, opened, quick, straight_to_production

pytestmark = [pytest.mark.story, pytest.mark.timeout(400)]

CHANNELS = ("amazon-us", "ebay-us", "magento-eu", "shopee-sg", "shopify-own")
PUSHED = CHANNELS[1:]
RUN_SECONDS = 180.0
OVERLAP_SECONDS = 130.0


def all_services(settings: Settings) -> None:
    """Straight to production with both workers; orders count as missing after a few seconds."""
    quick(settings)
    straight_to_production(settings)
    settings["environments"]["production"]["checks"]["import_seconds"] = 2


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with opened(tmp_path_factory.mktemp("channels") / "shop", all_services) as opening:
        assert opening.released().state == "released"
        with customers(opening):
            assert until(lambda: len(opening.street.seen()) > 1000, RUN_SECONDS)
        yield opening


@contextmanager
def customers(world: World) -> Iterator[None]:
    """Buying everywhere meanwhile; afterwards every order of theirs is in the shop."""
    world.street.open_doors()
    try:
        yield
    finally:
        world.street.close_doors()
        world.street.settle()


def hourly(world: World) -> runs.Ended:
    """The hour's run, started by hand."""
    shop = world.live.shop.shop
    return runs.follow(runs.start(f"reconcile-stock/{shop}", {"shop": shop}), RUN_SECONDS)


def artifact(key: str) -> str:
    chosen = ArtifactFilter(key=ArtifactFilterKey(any_=[key]))
    with get_client(sync_client=True) as client:
        found = client.read_artifacts(artifact_filter=chosen)
    return str(max(found, key=lambda one: one.created).data)


def test_a_shop_in_order_agrees_with_all_five(world: World) -> None:
    ended = hourly(world)

    assert (ended.name, ended.message) == ("Completed", "production: agrees")
    page = artifact("stock-and-orders-production")
    assert all(channel in page.replace("\\", "") for channel in CHANNELS)


def test_a_version_that_tells_wrong_stock_is_taken_back_and_made_good(world: World) -> None:
    world.sample.branch("wrong-levels", "0005")
    release = world.released("wrong-levels")

    assert release.state == "restored"
    assert "INV-01" in release.outcome
    wrong = {one["channel"] for one in Actions(world.live.path).differing("production")}
    assert wrong == set(PUSHED)
    blamed = {one["suspected"] for one in Actions(world.live.path).differing("production")}
    assert blamed == {release.version}

    run = making_good(world, release.version)
    ended = runs.follow(run, RUN_SECONDS)
    assert ended.waits, ended
    ended_by_bo = approve(world, release.version)

    assert ended_by_bo["state"] == "Completed", ended_by_bo
    assert "0 still differ" in ended_by_bo["message"]
    assert Actions(world.live.path).differing("production") == []
    assert hourly(world).message == "production: agrees"


def making_good(world: World, version: str) -> UUID:
    """The run that `reconcile` starts once; started by us, it is the same one."""
    shop = world.live.shop.shop
    row = world.deployment(version, "production")
    request = {"environment": "production", "version": version}
    parameters = {"shop": shop, "request": request}
    return runs.start(f"make-good/{shop}", parameters, f"make-good-{shop}-{row.id}")


def approve(world: World, version: str) -> dict[str, object]:
    said = {"decision": "approve now", "decided_by": "Bo", "reason": "", "begins": "", "ends": ""}
    return Actions(world.live.path).approve(version, said, lambda: ("", ""))


@pytest.mark.long
def test_an_order_that_got_lost_is_named_with_its_channel(world: World) -> None:
    assert until(lambda: seconds_old(world) > OVERLAP_SECONDS, RUN_SECONDS)
    with psycopg.connect(world.live.database_url("production")) as connection:
        (order,) = connection.execute(
            "DELETE FROM order_lines WHERE order_id = (SELECT min(id) FROM orders"
            " WHERE channel = 'shopee-sg') RETURNING order_id"
        ).fetchone() or (0,)
        (name,) = connection.execute(
            "DELETE FROM orders WHERE id = %s RETURNING channel_order_id", [order]
        ).fetchone() or ("",)

    ended = hourly(world)

    assert ended.name == "Diverged", ended
    found = Actions(world.live.path).differing("production")
    assert ("ORD-01", "shopee-sg", name) in {
        (one["check"], one["channel"], one["key"]) for one in found
    }
    lines = "".join(Actions(world.live.path).differing_csv("production"))
    assert f"shopee-sg,ORD-01,{name}," in lines


def seconds_old(world: World) -> float:
    """Of the oldest order: `order-sync` would bring a younger one back."""
    query = (
        "SELECT extract(epoch FROM clock_timestamp() - min(placed_at))::float AS age"
        " FROM orders WHERE channel = 'shopee-sg'"
    )
    (row,) = world.live.database("production").rows(query, {})
    return float(row["age"])


def test_a_broken_contract_stops_the_next_release_until_it_is_accepted(world: World) -> None:
    broken = Found("breaking", "GET /orders", "pagination.nextToken is renamed")
    (finding,) = world.live.ledger.findings.record("amazon", "orders", (broken,))

    release_run = world.start()
    ended = runs.follow(release_run, RUN_SECONDS)

    assert ended.name == "Refused"
    assert f"tradewind contracts accept {finding.id}" in ended.message
    Actions(world.live.path).accept_finding(finding.id, "Bo", "the client reads both")
    assert json.dumps(Actions(world.live.path).contracts(), default=str).count("Bo") == 1
