"""The dashboard's pictures: whole, within their size, nothing over another or from outside."""

from itertools import combinations
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.dashboard.facts import Facts
from domain.dashboard.journey import journeys
from domain.dashboard.route import Room, route_picture
from domain.dashboard.timeline import Timeline, timeline
from tests.domain.dashboard.rows import NOW, WORDS, deployment, release, running

NAMES = ("dev", "qa", "staging", "production")
STATES = ("done", "rolled back", "halted", "refused", "canary")
SVG = "{http://www.w3.org/2000/svg}"
ALLOWED = {"svg", "title", "g", "a", "rect", "line", "path", "polygon", "circle", "text"}
widths = pytest.mark.parametrize("width", [332, 1196])


def tree(drawn: str) -> ElementTree.Element:
    return ElementTree.fromstring(drawn)  # noqa: S314, it is our own


def frame(width: int, names: tuple[str, ...] = NAMES) -> Timeline:
    return Timeline(NOW, WORDS, 30, width, "/runs/", names)


def centres(drawn: str) -> list[tuple[float, float, float]]:
    """Where the marks of deployments are, and how large."""
    found = []
    for link in tree(drawn).iter(f"{SVG}a"):
        for one in link.iter():
            if one.tag == f"{SVG}circle" and "core" not in one.get("class", ""):
                at = [float(one.get(name, 0)) for name in ("cx", "cy", "r")]
                found.append((at[0], at[1], at[2]))
            if one.tag == f"{SVG}polygon":
                points = [tuple(map(float, p.split(","))) for p in one.get("points", "").split()]
                xs, ys = [p[0] for p in points], [p[1] for p in points]
                half = (max(xs) - min(xs)) / 2
                found.append((min(xs) + half, min(ys) + half, half))
    return found


@widths
@given(
    moved=st.lists(
        st.tuples(st.sampled_from(STATES), st.floats(0, 29), st.sampled_from(NAMES)), max_size=60
    )
)
def test_marks_lie_within_the_picture_and_never_over_each_other(
    width: int, moved: list[tuple[str, float, str]]
) -> None:
    rows = [deployment(n, state, days, place) for n, (state, days, place) in enumerate(moved)]

    drawn = timeline(rows, frame(width))

    height = int(tree(drawn).get("height", 0))
    marks = centres(drawn)
    assert all(r <= x <= width - r and r <= y <= height - r for x, y, r in marks)
    for (x, y, r), (other_x, other_y, other_r) in combinations(marks, 2):
        apart = max(abs(x - other_x), abs(y - other_y))
        assert apart >= r + other_r - 0.2


@widths
def test_a_day_with_too_many_shows_the_worst_and_says_how_many_more(width: int) -> None:
    rows = [deployment(n, "done", 0.1) for n in range(90)]
    rows.append(deployment(99, "halted", 0.1))

    drawn = timeline(rows, frame(width))

    shown = len(centres(drawn))
    assert f"+{91 - shown}" in drawn
    assert "halted" in drawn


@widths
def test_a_picture_has_nothing_from_outside_and_escapes_what_people_wrote(width: int) -> None:
    rows = [deployment(1, "rolled back", 1, reason='<script>"&')]
    facts = Facts(NOW, (running("web", "<b>"),), rows, (release(1, "restored", NAMES),))
    (journey,) = journeys(facts, dict.fromkeys(NAMES, 2), NAMES)

    for drawn in (
        timeline(rows, frame(width)),
        route_picture(journey, Room(WORDS, width, "/runs/")),
    ):
        names = {one.tag.removeprefix(SVG) for one in tree(drawn).iter()}
        assert names <= ALLOWED
        assert "style=" not in drawn
        assert "http" not in drawn.replace("http://www.w3.org/2000/svg", "")
        assert tree(drawn).get("aria-label")


@widths
@pytest.mark.parametrize("count", [0, 1, 4, 12])
def test_boxes_of_a_route_fit_whatever_the_number_of_environments(width: int, count: int) -> None:
    names = tuple(f"environment-with-a-long-name-{n}" for n in range(count))
    facts = Facts(NOW, (), (), (release(1, "open", names),))
    (journey,) = journeys(facts, dict.fromkeys(names, 1), names)

    drawn = tree(route_picture(journey, Room(WORDS, width)))

    boxes = []
    for group in drawn.iter(f"{SVG}g"):
        x, y = map(float, group.get("transform", "")[10:-1].split())
        box = group.find(f".//{SVG}rect")
        assert box is not None
        boxes.append((x, y, x + float(box.get("width", 0)), y + float(box.get("height", 0))))
    assert len(boxes) == count + 1
    assert all(right <= width for _, _, right, _ in boxes)
    assert all(foot <= float(drawn.get("height", 0)) for *_, foot in boxes)
    assert len({(x, y) for x, y, *_ in boxes}) == count + 1


def test_an_empty_ledger_has_a_timeline_of_empty_lanes() -> None:
    drawn = timeline((), frame(332))

    assert centres(drawn) == []
    assert "production" in drawn
