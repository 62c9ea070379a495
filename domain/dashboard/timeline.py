"""The last weeks as a picture: a lane for each environment, a column for each day, marks by result.

Marks of one day are stacked and never lie over each other; what does not fit is a number.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from domain.dashboard.drawing import LETTER, Result, cut, linked, mark, picture, result, text
from domain.journal import Deployment

WORST: tuple[Result, ...] = ("stuck", "back", "moving", "refused", "well")
"""In a full column these are seen first."""

SHAPES: tuple[Result, ...] = ("well", "back", "stuck", "refused", "moving")
STEP, MARGIN, LINE, FOOT, MOST_HIGH = 14, 8, 18, 24, 5
WIDE = 700
"""Beside its lane an environment's name takes room; a narrower picture has it above."""


@dataclass(frozen=True)
class Timeline:
    """So many ``days`` up to ``now``; ``words`` are what the picture says, in one's language.

    ``link`` is where a deployment leads to: its flow run comes after it.
    """

    now: datetime
    words: Mapping[str, str]
    days: int = 30
    width: int = 1240
    link: str = "/v2/runs/flow-run/"
    names: Sequence[str] = field(default_factory=tuple)

    @property
    def left(self) -> float:
        """Where the first day begins."""
        longest = max(map(len, self.names), default=0)
        return MARGIN + (min(LETTER * longest + 12, 160) if self.width >= WIDE else 0)

    @property
    def top(self) -> int:
        """Where the first lane begins: below the legend, which takes two lines on a phone."""
        return LINE * (2 if self.width >= WIDE else 3)

    @property
    def column(self) -> float:
        return (self.width - MARGIN - self.left) / self.days

    def x(self, day: date) -> float:
        """The left edge of a day's column."""
        return self.left + self.column * ((day - self.first).days)

    @property
    def first(self) -> date:
        return self.now.date() - timedelta(days=self.days - 1)


def timeline(deployments: Sequence[Deployment], frame: Timeline) -> str:
    """An SVG for a page."""
    top, drawn = float(frame.top), list(_legend(frame))
    for name in frame.names:
        seen = [one for one in deployments if one.environment == name and _within(one, frame)]
        lane, foot = _lane(name, seen, top, frame)
        drawn, top = [*drawn, *lane], foot
    drawn += _days(frame, top)
    told = frame.words["timeline"]
    return picture((frame.width, int(top) + FOOT), told, "timeline", "".join(drawn))


def _within(one: Deployment, frame: Timeline) -> bool:
    return frame.first <= one.created_at.date() <= frame.now.date()


def _lane(
    name: str, seen: Sequence[Deployment], top: float, frame: Timeline
) -> tuple[list[str], float]:
    """The lane's shapes, and where the next one begins."""
    beside = frame.width >= WIDE
    head = 6 if beside else 22
    days = {day: _worst_first(day, seen) for day in {one.created_at.date() for one in seen}}
    high = max([1, *(_rows(len(found), frame) for found in days.values())])
    foot = top + head + high * STEP + 8
    named = cut(name, 152) if beside else name
    drawn = [
        f'<line class="rule" x1="0" x2="{frame.width}" y1="{foot:.1f}" y2="{foot:.1f}"/>',
        text(named, MARGIN, foot - 12 if beside else top + 15, "strong"),
    ]
    for day, found in days.items():
        drawn += _column(found, (frame.x(day), foot - 8), frame)
    return drawn, foot


def _worst_first(day: date, seen: Sequence[Deployment]) -> list[Deployment]:
    found = [one for one in seen if one.created_at.date() == day]
    return sorted(found, key=lambda one: (WORST.index(result(one.state)), one.id))


def _across(frame: Timeline) -> int:
    """Marks beside each other within a day."""
    return max(1, int((frame.column - 4) // STEP))


def _rows(count: int, frame: Timeline) -> int:
    return min(MOST_HIGH, -(-count // _across(frame)))


def _column(
    found: Sequence[Deployment], corner: tuple[float, float], frame: Timeline
) -> Iterator[str]:
    """Marks from the foot up; where they are too many the topmost is how many more there are."""
    across, step = _across(frame), min(STEP, frame.column)
    most = across * MOST_HIGH
    shown = found if len(found) <= most else found[: most - across]
    for number, one in enumerate(shown):
        x = corner[0] + (number % across + 0.5) * step + max(0, (frame.column - across * step) / 2)
        y = corner[1] - (number // across + 0.5) * STEP
        size = min(6.0, step / 2)
        yield linked(f"{frame.link}{one.flow_run}", told(one), mark(result(one.state), x, y, size))
    if len(found) > len(shown):
        y = corner[1] - (MOST_HIGH - 1) * STEP - 3
        yield text(f"+{len(found) - len(shown)}", corner[0], y, "tiny")


def told(one: Deployment) -> str:
    """A deployment in a line."""
    when = f"{one.created_at:%Y-%m-%d %H:%M}"
    why = f": {one.reason}" if one.reason else ""
    return f"{when} {one.version} {one.environment}, {one.kind} {one.state}{why}"[:300]


def _legend(frame: Timeline) -> Iterator[str]:
    left, top = float(MARGIN), 14
    for how in SHAPES:
        said = frame.words[f"result_{how}"]
        if left + 16 + _wide(said) > frame.width:
            left, top = float(MARGIN), top + LINE
        yield mark(how, left + 6, top)
        yield text(said, left + 16, top + 4, "small")
        left += 16 + _wide(said) + 10


def _wide(said: str) -> float:
    """Of small letters; Chinese ones take twice the room."""
    return sum(13.0 if ord(one) > 0x2E80 else 6.6 for one in said)


def _days(frame: Timeline, foot: float) -> Iterator[str]:
    """A line at each Monday with its date, and at today's right edge."""
    for number in range(frame.days):
        day = frame.first + timedelta(days=number)
        if day.weekday() == 0:
            x = frame.x(day)
            yield f'<line class="rule" x1="{x:.1f}" x2="{x:.1f}" y1="{frame.top}" y2="{foot:.1f}"/>'
            if x + 6 * LETTER < frame.width:
                yield text(f"{day:%m-%d}", x + 3, foot + 16, "small soft")
