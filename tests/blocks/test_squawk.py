"""squawk itself, on statements as migrators write them."""

import subprocess
from pathlib import Path

import pytest

from blocks.database.squawk import EXCLUDED, SQUAWK, dangers
from domain.errors import Unavailable


def rules(*statements: str) -> list[list[str]]:
    return [[danger.rule for danger in own] for own in dangers(statements)]


def test_each_statement_has_its_own_dangers() -> None:
    found = rules(
        "ALTER TABLE orders\n  ADD COLUMN note text",
        "CREATE INDEX i\n\n  ON orders (note)",
        "ALTER TABLE orders\n  ADD COLUMN a int,\n  ALTER COLUMN note\n  SET NOT NULL",
        "SELECT '\n;\n'",
        "ALTER TABLE orders ADD CONSTRAINT c CHECK (a > 0)",
    )

    assert found == [
        [],
        ["require-concurrent-index-creation"],
        ["adding-not-nullable-field"],
        [],
        ["constraint-missing-not-valid"],
    ]


def test_the_same_danger_twice_in_a_statement_is_said_once() -> None:
    twice = "ALTER TABLE orders ADD CHECK (a > 0), ADD CHECK (b > 0)"

    assert rules(twice) == [["constraint-missing-not-valid"]]


def test_a_danger_says_what_happens_and_the_way_out() -> None:
    ((danger,),) = dangers(["CREATE INDEX i ON orders (note)"])

    assert "updates are blocked" in danger.message
    assert "`concurrently`" in danger.help


def test_what_this_migration_made_itself_is_in_nobodys_way() -> None:
    assert rules("CREATE TABLE gifts (a int)", "CREATE INDEX i ON gifts (a)") == [[], []]


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE orders DROP COLUMN note",
        "ALTER TABLE orders RENAME note TO remark",
        "CREATE INDEX CONCURRENTLY i ON orders (note)",
        "CREATE TABLE t (id serial, a int, b varchar(3), c char(2), d timestamp)",
        "ALTER TYPE colour ADD VALUE 'blue'",
    ],
)
def test_what_is_said_elsewhere_and_what_is_taste_is_left_out(statement: str) -> None:
    assert rules(statement) == [[]]


def test_a_comment_silences_nothing() -> None:
    found = rules(
        "CREATE INDEX i -- squawk-ignore-file\n ON orders (note)",
        "CREATE INDEX j /* squawk-ignore require-concurrent-index-creation */ ON orders (note)",
    )

    assert found == [["require-concurrent-index-creation"]] * 2


def test_an_error_of_syntax_hides_no_other_statement() -> None:
    found = rules(
        "CREATE INDEX i ON orders (a)", "ALTER TABLE orders ADD (\n", "TRUNCATE a CASCADE"
    )

    assert found[0] == ["require-concurrent-index-creation"]
    assert set(found[1]) == {"syntax-error"}
    assert found[2] == ["ban-truncate-cascade"]


def test_code_and_nothing_have_no_dangers() -> None:
    assert rules("", "CREATE INDEX i ON orders (a)", "") == [
        [],
        ["require-concurrent-index-creation"],
        [],
    ]
    assert rules() == []


def test_every_rule_that_is_left_out_is_one_of_squawks() -> None:
    ran = subprocess.run([SQUAWK, f"--exclude={','.join(EXCLUDED)}"], input=b"", check=False)

    assert ran.returncode == 0, "squawk takes no rule that it does not know"


def test_a_squawk_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="squawk cannot run"):
        dangers(["SELECT 1"], tmp_path / "squawk")


def test_a_squawk_that_ends_badly_is_unavailable(tmp_path: Path) -> None:
    program = tmp_path / "squawk"
    program.write_text("#!/bin/sh\ncat > /dev/null\necho out of order >&2\nexit 2\n")
    program.chmod(0o755)

    with pytest.raises(Unavailable, match="squawk ended with 2: out of order"):
        dangers(["SELECT 1"], program)


def test_a_squawk_that_hangs_is_unavailable(tmp_path: Path) -> None:
    program = tmp_path / "squawk"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)

    with pytest.raises(Unavailable, match=r"squawk did not end within 0\.2 s"):
        dangers(["SELECT 1"], program, 0.2)
