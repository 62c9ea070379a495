"""The report's Markdown: tables that stay tables, durations that people read."""

from domain.report import Stage, cell, duration, route_picture, stages_table


def test_a_stage_is_one_row_whatever_its_remark_contains() -> None:
    table = stages_table([Stage("production", "migrate", "failed", 75.2, "lock | timeout\nagain")])

    assert table.splitlines()[2] == (
        "| production | migrate | ✗\N{NO-BREAK SPACE}failed |"
        " 1\N{NO-BREAK SPACE}min\N{NO-BREAK SPACE}15\N{NO-BREAK SPACE}s | lock \\| timeout again |"
    )


def test_the_route_is_drawn_from_commit_to_customers() -> None:
    picture = route_picture([("staging", "done"), ("production", "rolled back")])

    assert 'commit([commit]) --> e0["staging<br/>done"] --> e1["production<br/>rolled back"]' in (
        picture
    )
    assert "style e1 stroke:#c62828" in picture


def test_long_text_is_cut_and_says_so() -> None:
    assert cell("x" * 400).endswith("…")
    assert len(cell("x" * 400)) == 300


def test_durations_read_like_a_person_says_them() -> None:
    assert [duration(s) for s in (None, 0.04, 59.94, 3600)] == ["", "0.0 s", "59.9 s", "60 min 0 s"]
