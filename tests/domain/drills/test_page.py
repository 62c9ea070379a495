"""The report of drills: measured beside agreed, and nothing taken for markup."""

from datetime import UTC, datetime

from domain.drills.judgement import Drill, standings
from domain.drills.page import page
from domain.drills.settings import Drills

DAY = datetime(2026, 11, 24, 9, tzinfo=UTC)


def test_measured_stands_beside_agreed_with_what_is_due() -> None:
    drill = Drill(
        1, "host", "staging", "run", "ann | bo", 300, 0, "passed", "", 4.2, 0.0,
        {"host": "staging-1", "other hosts": "none"}, DAY, DAY,
    )  # fmt: skip

    text = page([drill], standings(Drills(kinds=("host",)), [drill], DAY, DAY))

    assert "# Drills: all of them are good" in text
    assert "| host | ✓ good | 2026-11-24 | 4.20 s of 5 min 0 s | 2027-03-04 |" in text
    assert "4.20 s of 5 min 0 s | 0.00 s of 0.00 s |" in text
    assert "| ann \\| bo |" in text
    assert "- host: staging-1" in text


def test_a_shop_that_never_drilled_has_a_report_too() -> None:
    text = page([], standings(Drills(), (), None, DAY))

    assert "| database | ✓ good | never | – | 2027-03-04 |" in text
