"""What a failed drill means for production, on a real ledger."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from blocks.ledger.drills import Wanted
from blocks.shop import Live
from domain.drills.judgement import Measured, judged
from domain.drills.settings import Agreed
from domain.errors import BadInput, Refused
from tasks.drill import ALL, PUT_RIGHT, DrillRequest, free, wanted
from tasks.drilled import undrilled
from tests.blocks.test_ledger import cut

SAMPLE = Path(__file__).parents[2] / "examples" / "shop" / "shop.yaml"


@pytest.fixture
def shop(database_url: str, tmp_path: Path) -> Callable[[str], Live]:
    """With what follows from a failed drill."""
    (tmp_path / "state" / "databases").mkdir(parents=True)
    (tmp_path / "state" / "databases" / "ledger").write_text(database_url)

    def made(rule: str) -> Live:
        settings = yaml.safe_load(SAMPLE.read_text())
        settings["drills"]["failed"] = rule
        (tmp_path / "shop.yaml").write_text(yaml.safe_dump(settings, sort_keys=False))
        return Live(tmp_path / "shop.yaml", tmp_path / "state")

    made("warn").ledger.migrate()
    return made


def missed(live: Live) -> None:
    lease = live.ledger.leases.take("drill staging", "a test", 30)
    assert lease is not None
    row = live.ledger.drills.open(Wanted("host", "staging", "run-d", "ann", Agreed(1)), lease)
    live.ledger.drills.finish(row.id, judged(Measured(9.0), row.agreed), lease)


def test_a_failed_drill_refuses_production_only_and_never_a_hotfix(
    shop: Callable[[str], Live],
) -> None:
    live = shop("refuse")
    today = datetime.now(UTC).date()
    usual = live.ledger.releases.open(cut("run-1"), today).version
    urgent = live.ledger.releases.open(cut("run-2"), today).version
    live.ledger.hotfixes.open(urgent, "storefront", "INC-1", 600)
    assert undrilled(live, usual, "production") == ()

    missed(live)

    (said,) = undrilled(live, usual, "production")
    assert said == "the drill 'host' failed last: recovered after 9.0 s against 1 s"
    assert undrilled(live, usual, "staging") == ()
    assert undrilled(live, urgent, "production") == ()
    assert undrilled(shop("warn"), usual, "production") == ()


def test_drills_are_asked_for_by_kind_and_never_where_customers_are(
    shop: Callable[[str], Live],
) -> None:
    live = shop("warn")

    assert wanted(live, DrillRequest(kind=ALL), "run").kinds == live.shop.drills.kinds  # type: ignore[union-attr]
    assert wanted(live, DrillRequest(kind=PUT_RIGHT), "run").kinds == ()
    assert wanted(live, DrillRequest(kind="host"), "run").environment == "staging"
    with pytest.raises(BadInput, match="kind is 'fire', known are all, put right, service"):
        wanted(live, DrillRequest(kind="fire"), "run")
    with pytest.raises(BadInput, match="environment is 'production', drills are only in: staging"):
        wanted(live, DrillRequest(environment="production"), "run")


def test_where_nothing_serves_or_somebody_holds_it_there_is_nothing_to_drill(
    shop: Callable[[str], Live],
) -> None:
    live = shop("warn")
    live.ledger.pauses.hold("staging", "bo", "a demo")

    with pytest.raises(Refused, match="staging is held by bo: a demo; nothing serves in staging"):
        free(live, "staging")
