"""The approver's page: the verdict first, tables that stay tables, SQL that stays SQL."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from domain.schema.locks import Lock, Wait
from domain.schema.migration import Revision, Statement
from domain.schema.page import Asked, Line, Saved, Sheet, page
from domain.schema.rehearsal import Load, Measured, Rehearsal, Smoked

ADD = Statement("0007", "ALTER TABLE orders\n  ADD COLUMN gift text", "expand", "", ("orders",))
MEASURED = Measured(
    ADD,
    0.004,
    locks=(Lock("stock", "ROW EXCLUSIVE"), Lock("orders", "ACCESS EXCLUSIVE")),
    waits=(Wait("orders", 12.4, 20.6),),
)
SHEET = Sheet(
    Asked("1.4.0", "production", "mia", datetime(2026, 11, 26, 2, 0, tzinfo=UTC), "sha256:abc"),
    (Line(ADD, {"orders": 300_000}, (), MEASURED, 0.004),),
    (Revision("0007", "6", "7", "ALTER TABLE orders\n  ADD COLUMN gift text;"),),
    Saved(3_700, 48_200_000, 1_234_567, "restored, 12 tables agree", 17),
    Rehearsal(
        "sha256:m",
        (MEASURED,),
        (Smoked("N", 0, 1.5, ""),),
        Load(3),
        9.0,
        passed_over=("N-1: nothing served before",),
    ),
)


def table(text: str) -> list[list[str]]:
    """The statements' table, cell by cell, as a Markdown reader takes it apart."""
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    return [
        [cell.strip().replace("\0", "\\|") for cell in row.replace("\\|", "\0").split("|")[1:-1]]
        for row in rows
    ]


def test_the_verdict_is_in_the_first_lines() -> None:
    first = "\n".join(page(SHEET).splitlines()[:9])

    assert "# Schema change: 1.4.0 for production" in first
    assert "Asked by **mia**, open until 2026-11-26 02:00 UTC." in first
    assert "## ✓ Nothing speaks against it" in first
    assert "nobody waited longer than 12 ms to read and 21 ms to write" in first
    assert "Code can still go back to the version before afterwards." in first


def test_objections_come_before_everything_else() -> None:
    text = page(replace(SHEET, objections=("readers of orders waited 2,991 ms", "N failed")))

    lines = text.splitlines()
    assert lines[4] == "## ✗ Do not approve: 2 objections"
    assert lines[6] == "- **readers of orders waited 2,991 ms**"
    assert "Nothing speaks against it" not in text


def test_what_cannot_be_taken_back_is_never_called_harmless() -> None:
    drop = Statement("0007", "DROP TABLE carts", "irreversible", "", ("carts",))

    text = page(replace(SHEET, lines=(Line(drop, {"carts": 9}, ("its rows are lost",)),)))

    assert "## ⚠ With care: 1 statement cannot be undone by old code" in text
    assert "- irreversible: `DROP TABLE carts`\n" in text
    assert "⚠ its rows are lost" in text


def test_what_nobody_measured_is_not_counted_as_nothing() -> None:
    unmeasured = Line(ADD)

    text = page(replace(SHEET, lines=(*SHEET.lines, unmeasured)))

    assert "- At least 4 ms in production; on the copy nobody waited longer than 12 ms" in text


def test_a_change_that_was_not_rehearsed_says_so_first() -> None:
    assert "## ⚠ Not rehearsed" in page(replace(SHEET, rehearsal=None))


def test_a_statement_is_one_row_with_all_that_was_measured() -> None:
    heads, _, row = table(page(SHEET))

    assert dict(zip(heads, row, strict=True)) == {
        "": "1",
        "Kind": "expand",
        "Statement": "`ALTER TABLE orders ADD COLUMN gift text`",
        "Took": "4 ms",
        "Production": "4 ms",
        "Waited to read, write": "12 ms, 21 ms",
    }
    assert "Touches orders (300,000 rows)." in page(SHEET)
    assert "Holds ACCESS EXCLUSIVE on orders, ROW EXCLUSIVE on stock." in page(SHEET)


@pytest.mark.parametrize(
    ("sql", "shown"),
    [
        ("UPDATE o SET a = b || 'x'", "`UPDATE o SET a = b \\|\\| 'x'`"),
        ("SELECT '`'\n, 1", "`` SELECT '`' , 1 ``"),
        ("SELECT '\\|'", "`SELECT '\\ \\|'`"),
    ],
)
def test_sql_cannot_break_out_of_its_cell(sql: str, shown: str) -> None:
    nasty = Line(Statement("1", sql, "backfill", "", ("a|b",)), {}, ("x\n| y | <b>",))

    *_, row = table(page(replace(SHEET, lines=(nasty,))))

    assert len(row) == 6
    assert row[2] == shown
    assert "- 1: ⚠ x \\| y \\| \\<b\\>\n" in page(replace(SHEET, lines=(nasty,)))


def test_the_whole_sql_stays_in_its_block() -> None:
    sql = "COMMENT ON TABLE a IS '\n```\n# approved\n';"

    text = page(replace(SHEET, revisions=(Revision("0007", "6", "7", sql),)))

    assert f"````sql\n{sql}\n````" in text


def test_smoke_tests_are_told_with_their_last_words() -> None:
    failed = Smoked("N-1 on the new schema", 1, 2.0, "Traceback\ncolumn gone\n")
    rehearsal = replace(SHEET.rehearsal, smoked=(failed,), load=Load(3, 1, "cached plan"))  # type: ignore[type-var]

    text = page(replace(SHEET, rehearsal=rehearsal))

    assert "✗ smoke test of N-1 on the new schema: **exit code 1** after 2.0 s" in text
    assert "```\nTraceback\ncolumn gone\n```" in text
    assert "✗ N-1's load beside the change: 3 runs, 1 failed" in text
    assert "not tried: N-1: nothing served before" in text


def test_the_way_back_says_what_a_restore_would_lose() -> None:
    text = page(replace(SHEET, held_back=("carts is dropped",)))

    assert "The backup is 61 min 40 s old: 48.2 MB, 1,234,567 rows." in text
    assert "Proof: restored, 12 tables agree" in text
    assert "Restoring it now would lose **17 orders**" in text
    assert "Code cannot go back to the version before afterwards: carts is dropped." in text


def test_orders_that_nobody_could_count_are_not_called_none() -> None:
    backup = replace(SHEET.backup, orders_lost=None)  # type: ignore[type-var]

    text = page(replace(SHEET, backup=backup))

    assert "would lose **an unknown number of orders**" in text
    assert "There is no backup" in page(replace(SHEET, backup=None))


def test_digest_and_choices_are_there() -> None:
    text = page(SHEET)

    assert "Digest of the plan: `sha256:abc`" in text
    assert all(choice in text for choice in ("approve now", "for a window", "reject"))
