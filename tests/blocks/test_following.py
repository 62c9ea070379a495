"""A growing file is told line by line, to its end and no further than the limit."""

from pathlib import Path

from blocks.following import followed


def test_every_line_is_told_once_also_one_without_an_end(tmp_path: Path) -> None:
    file, told = tmp_path / "output.log", list[str]()

    with followed(file, told.append), file.open("w") as output:
        for number in range(300):
            print("line", number, file=output, flush=number % 7 == 0)
        output.write("the last")

    assert told == [*(f"line {number}" for number in range(300)), "the last"]


def test_after_the_limit_only_where_the_rest_is(tmp_path: Path) -> None:
    file, told = tmp_path / "output.log", list[str]()

    with followed(file, told.append, most=3):
        file.write_text("line\n" * 100_000)

    assert told == ["line", "line", "line", f"… the rest is in {file}"]


def test_what_an_earlier_run_wrote_is_not_told(tmp_path: Path) -> None:
    file, told = tmp_path / "output.log", list[str]()
    file.write_text("earlier\n")

    with followed(file, told.append):
        file.write_text("now\n")

    assert told == ["now"]
