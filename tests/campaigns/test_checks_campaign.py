"""A small campaign: each way to be wrong is said, each way to be right is not blamed."""

from collections.abc import Iterator

import pytest

from deployments.stack.postgres import Postgres
from tests.campaigns.checks import results
from tests.campaigns.checks.campaign import place, plan
from tests.campaigns.checks.kinds import BY_NAME
from tests.campaigns.checks.run import Place, Row


@pytest.fixture(scope="module")
def there(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place(postgres, tmp_path_factory.mktemp("campaign")) as made:
        yield made


@pytest.mark.parametrize(
    "name",
    [
        "healthy",
        "wrong before: money",
        "decrements twice",
        "loses orders",
        "calls refused",
        *(
            pytest.param(name, marks=pytest.mark.long)
            for name in (
                "eightfold demand",
                "rounds money",
                "oversells a pool",
                "shifts times",
                "row missing",
            )
        ),
    ],
)
def test_a_run_says_what_its_kind_demands_though_health_sees_nothing(
    there: Place, name: str
) -> None:
    row = there.run(BY_NAME[name], seed=7)

    assert results.right(BY_NAME[name], row), row
    assert row.healthy


def test_a_plan_is_the_same_for_the_same_seed_and_has_every_kind() -> None:
    assert plan(200, 3, []) == plan(200, 3, [])
    assert plan(200, 3, []) != plan(200, 4, [])
    assert {name for name, _ in plan(200, 3, [])} == set(BY_NAME)


def row(kind: str, verdict: str, *failed: str) -> Row:
    return Row(kind, 1, verdict, "pass", failed, (), 1200, True, 1)


def test_a_missed_fault_or_a_blamed_innocent_misses_the_goals() -> None:
    found = row("loses orders", "fail", "ORD-01")
    innocent = row("healthy", "pass")

    assert results.summary((found, innocent)).good
    assert not results.summary((row("loses orders", "pass"), innocent)).good
    assert not results.summary((row("loses orders", "fail", "ORD-05"), innocent)).good
    assert not results.summary((found, row("healthy", "fail", "ORD-01"))).good
    assert not results.summary((found, row("calls refused", "fail", "ORD-01"))).good
