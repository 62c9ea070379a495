"""What speaks against putting a database back, and what its approver reads."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from domain.journal import Approval, Deployment
from domain.schema.recovery import Restore, objections, page
from domain.schema.settings import Delta

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
BACKUP = {"taken_at": "2026-11-24T10:00:00+00:00", "tables": {"public.orders": [1200, 7]}}
SAME = Restore("deployment-12", BACKUP, "0002", "0002", fits=False)
OLDER = replace(SAME, schema_then="0001")
DELTAS = {"orders": Delta("SELECT 1", "SELECT 1")}
ROW = Deployment(
    13, "2026.11.24.3", "production", "restore", "run", "Ann", "planned", "", 1, {}, NOON, None
)
ASKED = Approval(4, 13, "sha256:plan", "Ann", "waiting", "", "", NOON, None)


@pytest.mark.parametrize(
    ("restore", "deltas", "serves", "said"),
    [
        (SAME, {}, True, "migrations.deltas is empty: every order since would be lost"),
        (SAME, DELTAS, False, "nothing was ever deployed there"),
        (OLDER, DELTAS, True, "is at 0001, what serves was released with 0002: roll the code back"),
    ],
)
def test_what_would_lose_orders_or_not_fit_is_refused(
    restore: Restore, deltas: dict[str, Delta], serves: bool, said: str
) -> None:
    (found,) = objections(restore, deltas, serves)

    assert said in found


@pytest.mark.parametrize("restore", [SAME, replace(OLDER, fits=True)])
def test_what_fits_may_go_on(restore: Restore) -> None:
    assert objections(restore, DELTAS, something_serves=True) == ()


def test_the_second_person_reads_what_is_carried_over_and_what_is_not() -> None:
    text = page(OLDER, ROW, ASKED, {"orders": 37, "lines": 40}, "an import | overwrote prices")

    assert "Asked for by **Ann**: an import \\| overwrote prices." in text
    assert "**Nobody can order while it goes on.**" in text
    assert "1,200 rows in 1 tables; its schema is `0001`, now it is `0002`" in text
    assert "**37 orders, 40 lines**" in text
    assert "`sha256:plan`" in text
