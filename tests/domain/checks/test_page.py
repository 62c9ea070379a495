"""The page of a verdict: what failed, by check and channel, and the rows; all of them as CSV."""

import csv
from datetime import UTC, datetime

from domain.checks.evidence import Outcome
from domain.checks.looks import Divergence, Look, Part
from domain.checks.page import Sheet, csv_lines, looked, page, rows_table

AT = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)


def row(key: str, ours: str = "3") -> Divergence:
    return Divergence("ebay-us", "INV-01", key, ours, "5", "", AT, suspected="1.1.0")


SHEET = Sheet(
    "1.1.0 in production", AT, "fail",
    (
        Outcome("ebay-us", "INV-01", "critical", "fail", "stock drifts: 2 of 10 new"),
        Outcome("ebay-us", "ORD-01", "critical", "pass", "0 of 10 new"),
        Outcome("magento-eu", "INV-01", "critical", "inconclusive", "a page is missing"),
        Outcome("magento-eu", "ORD-01", "critical", "inconclusive", "a page is missing"),
        Outcome("magento-eu", "INV-10", "high", "off", "not declared"),
    ),
    (row("TEA-1"), row("a|b")),
)  # fmt: skip


def test_the_verdict_comes_first_and_each_check_has_a_sign_per_channel() -> None:
    shown = page(SHEET)

    assert shown.splitlines()[2] == (
        "**✗ Stock or orders do not agree**, 2026-11-20 12:30 UTC."
    )  # fmt: skip
    assert "| Check | ebay-us | magento-eu |" in shown
    assert "| INV-01 stock drifts from the channel | ✗ | ? |" in shown
    assert "| ORD-01 channel order missing here | ✓ | ? |" in shown
    assert "| INV-10 a change was not pushed |  | – |" in shown


def test_what_is_not_known_is_said_once_for_a_channel() -> None:
    assert page(SHEET).count("- magento-eu is not known: a page is missing") == 1


def test_rows_name_both_values_and_the_suspected_release() -> None:
    shown = page(SHEET)

    assert "| INV-01 | ebay-us | `TEA-1` | 3 | 5 | 2026-11-20 12:30:00 | 1.1.0 |" in shown
    assert "`a\\|b`" in shown


def test_at_most_fifty_rows_are_shown_and_the_rest_counted() -> None:
    shown = rows_table([row(f"SKU-{number}") for number in range(73)])

    assert shown.count("`SKU-") == 50
    assert shown.endswith("and 23 more.")


def test_a_look_without_a_release_counts_what_violates() -> None:
    parts = {
        "ebay-us": Part({"INV-01": 10, "ORD-01": 4}, {"INV-01": 2}),
        "magento-eu": Part({"INV-01": 10}, unknown="refused"),
    }

    shown = looked(Look(7, AT, parts), [row("TEA-1")])

    assert "- **magento-eu** is not known: refused" in shown
    assert "| INV-01 stock drifts from the channel | ✗ 2 | ? |" in shown
    assert "| ORD-01 channel order missing here | ✓ |  |" in shown
    assert "`TEA-1`" in shown


def test_every_row_is_in_the_csv_and_none_is_a_formula() -> None:
    rows = [row('=HYPERLINK("x")', "-3"), row("a,b\n"), *(row(str(n)) for n in range(300))]

    heading, first, second, *rest = csv.reader("".join(csv_lines(rows)).splitlines(keepends=True))

    assert heading[:3] == ["channel", "check", "key"]
    assert first[2:4] == ['\'=HYPERLINK("x")', "-3"]
    assert second[2] == "a,b\n"
    assert len(rest) == 300
