"""Kill -9 at the ledger's writes, before them and after; what is resumed comes out right."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from blocks.database.execution import leftovers
from blocks.database.migrators import migrator
from tests.flows.executor import EVERY, Executors, created, execute
from tests.flows.world import Settings, World, opened, smallest, soon_taken_over

pytestmark = [pytest.mark.story, pytest.mark.long, pytest.mark.customers, pytest.mark.timeout(900)]

MOST_DEATHS = 250


def mortal(settings: Settings) -> None:
    smallest(settings)
    soon_taken_over(settings)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """With the first version live and customers buying."""
    with opened(tmp_path_factory.mktemp("sweep") / "shop", mortal) as opening:
        assert opening.released().state == "released"
        opening.street.open_doors()
        yield opening
        opening.street.close_doors()


def swept(world: World, ref: str, seen: Path) -> tuple[str, list[str]]:
    """A release whose executors die at its writes; its version, and where they were."""
    run, executors = created(world, ref), Executors(world)
    seen.touch()
    for _ in range(MOST_DEATHS):
        if executors.survived(execute, str(run), str(seen)):
            break
    release = world.release(run)
    assert release is not None
    places = seen.read_text().splitlines()
    print(f"{len(places)} places, a death at every {EVERY}")
    return release.version, places


def test_killed_again_and_again_a_release_is_done_once(world: World, tmp_path: Path) -> None:
    world.sample.branch("gift-notes", "0001")
    world.sample.merge("gift-notes")

    version, places = swept(world, "main", tmp_path / "seen")

    assert len(places) > 60, places
    assert world.live.ledger.releases.get(version).state == "released"
    assert world.weights() == {f"storefront@{version}": 100}
    assert done_steps(world, version)["migrate"] == 1
    assert done_steps(world, version)["route storefront 100"] == 1
    assert whole_schema(world, "0002")
    nobody_noticed(world)


def test_killed_again_and_again_a_bad_release_is_taken_back(world: World, tmp_path: Path) -> None:
    before = world.weights()
    fail_checkouts(world)

    version, places = swept(world, "main", tmp_path / "seen")

    assert any("restore: traffic" in place for place in places), places
    assert world.live.ledger.releases.get(version).state == "restored"
    assert world.deployment(version, "production").state == "rolled back"
    assert world.weights() == before
    nobody_noticed(world)


def fail_checkouts(world: World) -> None:
    """Commits a storefront that fails every second checkout."""
    storefront = world.folder / "storefront" / "__main__.py"
    good, sells = storefront.read_text(), "order, new = sold(key, wish)"
    assert sells in good
    fails = "if hash(key) % 2: raise psycopg.OperationalError"
    storefront.write_text(good.replace(sells, f"{fails}\n            {sells}"))
    world.sample.commit("Fail every second checkout")


def done_steps(world: World, version: str) -> dict[str, int]:
    """How often each step of a release was written down as done."""
    with psycopg.connect(world.live.ledger.url) as connection:
        rows = connection.execute(
            "SELECT substr(action, 7), count(*) FROM audit"
            " WHERE action LIKE 'done: %%' AND \"row\" LIKE %s GROUP BY 1",
            [f"steps deployment:{world.deployment(version, 'production').id} %"],
        ).fetchall()
    return dict(rows)


def whole_schema(world: World, revision: str) -> bool:
    """The schema is there, nothing of it half done, and nobody who died left anything behind."""
    database = world.live.database("production")
    (epoch,) = database.rows("SELECT epoch FROM tradewind.fence", {})
    begun = database.rows("SELECT key FROM tradewind.applied", {})
    there = migrator("alembic").state(database) == revision
    return there and (begun, leftovers(database, epoch["epoch"])) == ([], ())


def nobody_noticed(world: World) -> None:
    """No request was dropped, no order lost or doubled, and the ledger is whole."""
    seen = world.street.seen()
    world.street.settle()
    orders = world.street.audit(seen)
    assert sum(line["outcome"] == "dropped" for line in seen) == 0
    assert (orders.lost, orders.doubled) == (0, 0)
    assert orders.taken > 0
    assert world.live.ledger.verify() == ()
