"""The way of a version as a picture: from the commit through each environment, box by box.

Boxes go right where there is room, and down on a phone; text has the same size at every width.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from domain.dashboard.drawing import cut, linked, mark, picture, result, text
from domain.dashboard.journey import Journey, Stop
from domain.journal import FORWARD

BOX, GAP, HIGH, DOWN, EDGE = 204, 36, 96, 26, 1
WIDE_BOX = 330
"""On a phone one box fills the width."""


@dataclass(frozen=True)
class Room:
    """So many pixels; ``words`` are what the picture says; ``link`` goes before a flow run."""

    words: Mapping[str, str]
    width: int = 1240
    link: str = "/v2/runs/flow-run/"

    @property
    def columns(self) -> int:
        return max(1, (self.width - 2 * EDGE + GAP) // (BOX + GAP))

    @property
    def box(self) -> int:
        return BOX if self.columns > 1 else min(WIDE_BOX, self.width - 2 * EDGE)

    def corner(self, number: int) -> tuple[float, float]:
        """The upper left one of a box."""
        row, column = divmod(number, self.columns)
        return EDGE + column * (BOX + GAP), EDGE + row * (HIGH + DOWN)

    def word(self, state: str) -> str:
        """A state as the reader says it; the ledger's own word where there is none."""
        return self.words.get(f"state {state}", state)


def route_picture(journey: Journey, room: Room) -> str:
    """An SVG for a page."""
    boxes = [_commit(journey, room), *(_place(stop, room) for stop in journey.stops)]
    rows = -(-len(boxes) // room.columns)
    height = rows * HIGH + (rows - 1) * DOWN + 2 * EDGE
    placed = (
        f'<g transform="translate({x:.0f} {y:.0f})">{box}</g>'
        for box, (x, y) in zip(boxes, map(room.corner, range(len(boxes))), strict=True)
    )
    arrows = (_arrow(number, room) for number in range(1, len(boxes)))
    told = f"{room.words['route']} {journey.version}"
    return picture((room.width, height), told, "route", "".join((*placed, *arrows)))


def _commit(journey: Journey, room: Room) -> str:
    release = journey.release
    if release is None:
        return _box(room, (room.words["commit"], ""), ("built", room.words["state built"]))
    lines = (f"{release.ref} {release.commit[:8]}", release.requested_by)
    head = (room.words["commit"], "")
    return _box(room, head, (journey.built, room.word(journey.built)), lines)


def _place(stop: Stop, room: Room) -> str:
    """An environment: how far the version came there, and what serves."""
    hosts = room.words["one_host"] if stop.hosts == 1 else f"{stop.hosts} {room.words['hosts']}"
    serves = f"{room.words['serves']} {_serves(stop, room)}"
    state = (stop.state, room.word(stop.state or "not reached"))
    box = _box(room, (stop.name, hosts), state, ("", serves))
    steps = _steps(stop, room) if stop.state else ""
    if not stop.flow_run:
        return box + steps
    return linked(f"{room.link}{stop.flow_run}", f"{stop.name}: {state[1]}", box + steps)


def _serves(stop: Stop, room: Room) -> str:
    if not stop.serves:
        return room.words["nothing"]
    more = f" +{len(stop.serves) - 1}" if len(stop.serves) > 1 else ""
    return f"{stop.serves[0]}{more}"


def _box(
    room: Room, head: tuple[str, str], state: tuple[str, str], lines: tuple[str, ...] = ()
) -> str:
    """Its name, what is told at the right of it, its state, and up to two lines below."""
    how = result(state[0]) if state[0] and state[0] != "built" else ("well" if state[0] else "far")
    told = len(head[1]) * 6.6
    parts = [
        f'<rect class="box {how}" width="{room.box}" height="{HIGH}" rx="8"/>',
        text(cut(head[0], room.box - 34 - told), 12, 24, "strong"),
        f'<text class="small soft end" x="{room.box - 12}" y="24">{head[1]}</text>',
        text(cut(state[1], room.box - 44), 32 if state[0] else 12, 45, "" if state[0] else "soft"),
    ]
    if state[0]:
        parts.append(mark("well" if state[0] == "built" else result(state[0]), 19, 40.5))
    parts += (text(cut(line, room.box - 20), 12, 66 + 19 * number, "small soft")
              for number, line in enumerate(lines) if line)  # fmt: skip
    return "".join(parts)


def _steps(stop: Stop, room: Room) -> str:
    """A bar of as many pieces as a deployment has steps."""
    each = (room.box - 24) / len(FORWARD)
    gone = f"gone {result(stop.state)}"
    kinds = (gone if number < stop.reached else "ahead" for number in range(len(FORWARD)))
    return "".join(
        f'<rect class="step {kind}" x="{12 + number * each:.1f}" y="57" width="{each - 2:.1f}"'
        ' height="6" rx="2"/>'
        for number, kind in enumerate(kinds)
    )


def _arrow(number: int, room: Room) -> str:
    """From the box before to this one; where that is in a new row, down at the left."""
    x, y = room.corner(number)
    if number % room.columns:
        way = f"M{x - GAP + 6:.0f} {y + HIGH / 2:.0f}h{GAP - 14}m-6 -5l6 5l-6 5"
    else:
        way = f"M{x + 24:.0f} {y - DOWN + 4:.0f}v{DOWN - 9}m-5 -6l5 6l5 -6"
    return f'<path class="arrow" d="{way}"/>'
