"""Schema changes people can trust: refused when they do harm, done in their window, taken back."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from prefect.client.orchestration import get_client
from prefect.states import Pending

from blocks import prefect_runs as runs
from blocks.database.migrators import migrator
from deployments.stack.processes import until
from domain.journal import Decision, Release
from flows.restore import restore as restore_flow
from tasks.recover import RestoreRequest, prepare_restore
from tests.flows.executor import Executors, restore_again
from tests.flows.world import Settings, World, opened, smallest, soon_taken_over

pytestmark = [pytest.mark.story, pytest.mark.long, pytest.mark.timeout(400)]

RUN_SECONDS = 120.0
WINDOW_SECONDS = 6.0
REVISION = """
revision = "{after}"
down_revision = "{before}"
from alembic import op
def upgrade():
    for statement in {statements!r}:
        op.execute(statement)
"""
PICKY = (
    "ALTER TABLE orders ADD FOREIGN KEY (idempotency_key) REFERENCES products (sku)"
    " DEFERRABLE INITIALLY DEFERRED NOT VALID"
)
"""Harms who commits a sale, which the shop's own tests never do."""


def gated(settings: Settings) -> None:
    smallest(settings)
    soon_taken_over(settings)
    settings["environments"]["production"] |= {"approve_schema": True, "canary": None}
    settings["migrations"]["rollback_window_seconds"] = 0


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """With the first version live."""
    with opened(tmp_path_factory.mktemp("schema") / "shop", gated) as opening:
        assert opening.released().state == "released"
        yield opening


def tradewind(world: World, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """The command line as a person calls it."""
    command = [sys.executable, "-m", "deployments.cli", "--shop", str(world.live.path), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=RUN_SECONDS, check=False)


def proposed(world: World, *statements: str) -> str:
    """A branch with one more revision after what is live; answers its name."""
    before = revision(world)
    after = f"{before}x{len(world.live.ledger.releases.all())}"
    name = f"change-{after}"
    world.sample.branch_off(name)
    file = world.folder / "migrations" / "versions" / f"{after}.py"
    file.write_text(REVISION.format(before=before, after=after, statements=statements))
    world.sample.commit(name)
    return name


def revision(world: World) -> str:
    return migrator("alembic").state(world.live.database("production"))


def waiting(world: World, ref: str) -> tuple[UUID, Release, str]:
    """A release suspended at its gate, and the digest of its plan."""
    run = world.start(ref)
    ended = runs.follow(run, RUN_SECONDS)
    assert ended.waits, ended
    release = world.release(run)
    assert release is not None
    row = world.deployment(release.version, "production")
    (approval,) = world.live.ledger.approvals.of_deployment(row.id)
    return run, release, approval.plan_digest


def orders(world: World) -> list[tuple[object, ...]]:
    with psycopg.connect(world.live.database_url("production")) as connection:
        query = "SELECT id, idempotency_key, total, placed_at FROM orders ORDER BY id"
        return connection.execute(query).fetchall()


def test_taking_away_beside_adding_is_refused_with_the_way_out(world: World) -> None:
    before = revision(world), world.weights()
    ref = proposed(
        world, "ALTER TABLE orders ADD COLUMN note text", "ALTER TABLE transfers DROP COLUMN done"
    )

    release = world.released(ref)

    assert release.state == "refused"
    assert "ALTER TABLE transfers DROP COLUMN done" in release.outcome
    assert "put it into a release of its own" in release.outcome
    assert (revision(world), world.weights()) == before


def test_what_the_version_that_serves_cannot_take_is_refused_by_its_rehearsal(
    world: World,
) -> None:
    before = revision(world), world.weights()
    ref = proposed(world, PICKY)

    release = world.released(ref)

    assert release.state == "refused"
    assert "the smoke test of N-1 on the new schema failed" in release.outcome
    assert (revision(world), world.weights()) == before


def test_a_change_that_would_keep_customers_waiting_is_refused(world: World) -> None:
    before = revision(world), world.weights()
    ref = proposed(world, "ALTER TABLE orders ADD COLUMN slow text", "SELECT pg_sleep(0.6)")

    release = world.released(ref)

    assert release.state == "refused"
    assert "readers of orders waited" in release.outcome
    assert "against 300 ms" in release.outcome
    assert (revision(world), world.weights()) == before


def test_what_was_approved_for_a_window_is_done_inside_it(world: World) -> None:
    world.sample.branch("gift-notes", "0001")
    run, release, plan = waiting(world, "gift-notes")
    begins = datetime.now(UTC) + timedelta(seconds=WINDOW_SECONDS)
    window = {"begins": begins.isoformat(), "ends": (begins + timedelta(hours=1)).isoformat()}
    answer = {"decision": "approve for a window", "decided_by": "Bo", "plan": plan, **window}

    runs.answer(run, answer)
    row = world.deployment(release.version, "production")
    decided = world.live.ledger.approvals.of_deployment
    assert until(lambda: decided(row.id)[0].decision == "approved", RUN_SECONDS)
    assert revision(world) == "0001", "nothing happens before the window"
    assert until(lambda: woken(world, run, begins), RUN_SECONDS)

    assert runs.follow(run, RUN_SECONDS).completed
    assert revision(world) == "0002"
    step = world.live.ledger.steps(f"deployment:{row.id}")
    begun = next(one.started_at for one in step if one.name == "migrate")
    assert begun >= begins


def woken(world: World, run: UUID, begins: datetime) -> bool:
    """Reconciled once its window has begun, as it is every minute."""
    if datetime.now(UTC) < begins:
        return False
    shop = world.live.shop.shop
    runs.follow(runs.start(f"reconcile/{shop}", {"shop": shop}), RUN_SECONDS)
    ended = runs.state(run)
    return ended is None or not ended.waits


def test_a_restore_takes_two_people_and_keeps_every_order(world: World) -> None:
    newest, first = (row.version for row in world.live.ledger.deployments.done("production"))
    listed = json.loads(tradewind(world, "restore", "production", "--by", "Ann", "--json").stdout)
    backup = listed["backups"][0]["name"]
    asked = ("restore", "production", "--to", backup, "--by", "Ann", "--reason", "a bad import")
    sold(world, 3)

    refused = tradewind(world, *asked, "--json")
    assert refused.returncode == 2
    assert "roll the code back first" in json.loads(refused.stdout)["message"]
    back = tradewind(world, "rollback", "production", "--to", first, "--by", "Ann", "--json")
    assert back.returncode == 0, back.stderr
    sold(world, 2)
    before = orders(world)
    assert tradewind(world, *asked, "--json").returncode == 3, "it waits for somebody"
    sold(world, 1)
    own = tradewind(world, "approve", first, "--by", "Ann", "--json")
    assert own.returncode == 3, "one's own answer does not count"
    done = tradewind(world, "approve", first, "--by", "Bo", "--json")

    assert done.returncode == 0, done.stdout
    assert revision(world) == "0001"
    assert orders(world)[: len(before)] == before
    assert len(orders(world)) == len(before) + 1
    row = world.live.ledger.deployments.done("production")[0]
    assert row.kind == "restore"
    kept = f"shop_production_before_restore_{row.id}"
    found = world.live.database("production").rows(
        "SELECT 1 FROM pg_database WHERE datname = %(name)s", {"name": kept}
    )
    assert found, "what was there is kept"
    assert until(lambda: sells(world), RUN_SECONDS), "connections that were cut are made anew"
    assert world.weights() == {f"storefront@{first}": 100}
    assert newest != first
    assert world.live.ledger.verify() == ()


def test_killed_again_and_again_a_restore_comes_right(world: World, tmp_path: Path) -> None:
    """Whatever an executor of it had done when it died, nothing is lost and one database serves."""
    sold(world, 2)
    before, seen, executors = orders(world), tmp_path / "seen", Executors(world)
    asked = RestoreRequest(environment="production", reason="a drill", requested_by="Ann")
    prepared = prepare_restore.fn(world.live, asked, str(unattended(world, asked)), "a test")
    assert prepared.approval is not None
    digest = prepared.approval.plan_digest
    world.live.ledger.approvals.decide(prepared.approval.id, digest, Decision("approved", "Bo"))
    seen.touch()

    deaths = 0
    place = (str(world.live.path), str(world.live.state))
    while not executors.survived(restore_again, *place, prepared.deployment.id, str(seen)):
        deaths += 1
        assert deaths < 100, seen.read_text()

    assert deaths >= 5, seen.read_text()
    row = world.live.ledger.deployments.get(prepared.deployment.id)
    assert row.state == "done", row.reason
    assert orders(world) == before
    assert until(lambda: sells(world), RUN_SECONDS)
    names = world.live.database("production").rows("SELECT datname FROM pg_database", {})
    there = {one["datname"] for one in names}
    assert f"shop_production_before_restore_{row.id}" in there
    assert f"shop_production_restored_{row.id}" not in there
    assert world.live.ledger.verify() == ()


def unattended(world: World, asked: RestoreRequest) -> UUID:
    """A restore's run that no worker picks up."""
    parameters = {"shop": world.live.shop.shop, "request": asked.model_dump()}
    with get_client(sync_client=True) as client:
        return client.create_flow_run(restore_flow, parameters=parameters, state=Pending()).id


def sold(world: World, count: int) -> None:
    """So many orders by the version that serves."""
    before = len(orders(world))
    assert all(sells(world) for _ in range(count))
    assert len(orders(world)) == before + count


def sells(world: World) -> bool:
    """One more order is taken."""
    (host,) = world.live.hosts("production")
    address = f"http://127.0.0.1:{host.observe().listeners['storefront']}/checkout"
    wish, key = {"sku": "TEA-001", "quantity": 1}, {"Idempotency-Key": str(uuid4())}
    return httpx.post(address, json=wish, headers=key).status_code == 201
