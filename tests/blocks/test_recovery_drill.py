"""A database's restore as a drill, on a real PostgreSQL with the sample shop's own schema."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml

from blocks.ledger.drills import Wanted
from blocks.shop import Live
from deployments.stack.postgres import Postgres
from domain.drills.settings import Agreed
from tasks.drill import Drilling
from tasks.recovery_drill import choose, own_orders, recover_beside, tidy, write_own_orders

SHOP = Path(__file__).parents[2] / "examples" / "shop"


def tables() -> str:
    spec = spec_from_file_location("first", SHOP / "migrations" / "versions" / "0001_shop.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return str(module.TABLES)


@pytest.fixture
def settings() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((SHOP / "shop.yaml").read_text())
    return found


@pytest.fixture
def opened(postgres: Postgres, database_url: str, settings: dict[str, Any], tmp_path: Path) -> Live:
    """A shop whose staging has one order of a customer; its ledger is a database of its own."""
    name = f"shop_{uuid4().hex[:8]}"
    postgres.create(name)  # the session's server takes it along
    places = tmp_path / "state" / "databases"
    places.mkdir(parents=True)
    (places / "ledger").write_text(database_url)
    (places / "shop_staging").write_text(postgres.url(name))
    (tmp_path / "shop.yaml").write_text(yaml.safe_dump(settings, sort_keys=False))
    live = Live(tmp_path / "shop.yaml", tmp_path / "state")
    live.ledger.migrate()
    live.database("staging").build(tables())
    live.database("staging").build(
        "INSERT INTO orders (idempotency_key, channel, currency, total, status)"
        " VALUES ('a', 'storefront', 'USD', 1, 'paid');"
        "INSERT INTO order_lines SELECT id, 'TEA-001', 1 FROM orders"
    )
    return live


def drilling(live: Live) -> Drilling:
    lease = live.ledger.leases.take("drill staging", "a test", 60)
    assert lease is not None
    wanted = Wanted("database", "staging", "run", "ann", Agreed(60))
    return Drilling(live, live.ledger.drills.open(wanted, lease), lease)


def restored(under_way: Drilling) -> dict[str, Any]:
    backup = choose.fn(under_way)
    return recover_beside.fn(under_way, backup, write_own_orders.fn(under_way))


def orders(live: Live) -> list[str]:
    rows = live.database("staging").rows("SELECT idempotency_key AS key FROM orders", {})
    return sorted(row["key"] for row in rows)


def test_orders_after_the_backup_are_there_again_and_nothing_of_the_drill_stays(
    opened: Live,
) -> None:
    under_way = drilling(opened)

    seen = restored(under_way)
    during = orders(opened)
    tidy.fn(under_way)

    assert seen["rpo_seconds"] == 0
    assert 0 < seen["rto_seconds"] < 60
    assert seen["told"]["orders of the drill's own"] == "5 of 5 are there again"
    assert during == sorted(["a", *own_orders(under_way)])
    assert orders(opened) == ["a"]
    assert list((opened.state / "drills" / "staging").iterdir()) == []
    assert opened.ledger.verify() == ()


class TestWithADeltaThatLosesOrders:
    @pytest.fixture
    def settings(self, settings: dict[str, Any]) -> dict[str, Any]:
        for delta in ("orders", "lines"):
            settings["migrations"]["deltas"][delta]["export"] += " AND false"
        return settings

    def test_the_work_that_is_lost_is_measured(self, opened: Live) -> None:
        seen = restored(drilling(opened))

        assert seen["rpo_seconds"] > 0
        assert seen["told"]["orders of the drill's own"] == "0 of 5 are there again"
