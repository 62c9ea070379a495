"""A picture of the calendar: time goes right, each channel has a lane, tiers are bars.

Text has the same size at every width, so that it can be read on a phone: a narrower picture has
more rows. Colours (of Okabe and Ito) differ to colour-blind people too, and tiers by their height.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import escape
from itertools import groupby

from domain.calendar.events import Occurrence
from domain.calendar.standing import Hold
from domain.calendar.tiers import TIERS, Tier

COLOURS: Mapping[Tier, str] = {"hard": "#d55e00", "soft": "#e69f00", "watch": "#56b4e9"}
HEIGHTS: Mapping[Tier, int] = {"hard": 14, "soft": 9, "watch": 4}
MARGIN, TOP, LANE, ROW, FOOT = 12, 62, 24, 36, 14
LETTER = 7.6
"""The width of a letter of 13 px, rather too much than too little."""


@dataclass(frozen=True)
class Frame:
    """From when to when, in how many pixels; ``now`` is marked."""

    since: datetime
    until: datetime
    now: datetime
    width: int = 1280

    def x(self, moment: datetime) -> float:
        share = (moment - self.since) / (self.until - self.since)
        return MARGIN + min(max(share, 0.0), 1.0) * (self.width - 2 * MARGIN)


@dataclass(frozen=True)
class Bar:
    """An occurrence as it is drawn: where its bar and its label are, and in which row of a lane."""

    occurrence: Occurrence
    left: float
    right: float
    row: int = 0


def picture(known: Sequence[Occurrence], frame: Frame) -> str:
    """An SVG of its own: no script, no outside font or image."""
    lanes, height = list(_lanes(known, frame)), TOP
    drawn: list[str] = []
    for channel, bars in lanes:
        drawn += _lane(channel, bars, height, frame)
        height += LANE + ROW * (max((bar.row for bar in bars), default=0) + 1)
    texts = [one for one in drawn if one.startswith("<text")]
    shapes = [one for one in drawn if one not in texts]
    body = [*_months(frame, height), *shapes, *_today(frame, height), *texts]
    return "\n".join([_head(frame, height + FOOT), *_legend(frame), *body, "</svg>\n"])


def _lanes(known: Sequence[Occurrence], frame: Frame) -> Iterator[tuple[str, list[Bar]]]:
    shown = [
        one
        for one in known
        if one.windows
        and one.windows[0].begins < frame.until
        and one.windows[-1].ends > frame.since
    ]
    by_channel = sorted(shown, key=lambda one: (one.channel, one.windows[0].begins, one.event))
    for channel, found in groupby(by_channel, key=lambda one: one.channel):
        yield channel, _packed([_bar(one, frame) for one in found])


def _bar(one: Occurrence, frame: Frame) -> Bar:
    """As wide as its tiers or its label, and within the picture."""
    left, right = frame.x(one.windows[0].begins), frame.x(one.windows[-1].ends)
    label = LETTER * len(_label(one))
    left = max(MARGIN, min(left, frame.width - MARGIN - label))
    return Bar(one, left, max(right, left + label))


def _packed(bars: Sequence[Bar]) -> list[Bar]:
    """Each in the first row where nothing is in its way."""
    ends: list[float] = []
    placed = []
    for bar in bars:
        free = (number for number, end in enumerate(ends) if end + MARGIN <= bar.left)
        row = next(free, len(ends))
        ends[row:row + 1] = [bar.right]  # fmt: skip
        placed.append(Bar(bar.occurrence, bar.left, bar.right, row))
    return placed


def _label(one: Occurrence) -> str:
    return f"{one.event}?" if one.status == "tentative" else one.event


def _lane(channel: str, bars: Sequence[Bar], top: int, frame: Frame) -> Iterator[str]:
    yield f'<line class="rule" x1="0" x2="{frame.width}" y1="{top}" y2="{top}"/>'
    yield f'<text class="lane" x="{MARGIN}" y="{top + 17}">{escape(channel)}</text>'
    for bar in bars:
        yield from _drawn(bar, top + LANE + ROW * bar.row, frame)


def _drawn(bar: Bar, top: int, frame: Frame) -> Iterator[str]:
    """The bars, told when pointed at, and the label above them."""
    one = bar.occurrence
    across = ((w.tier, (frame.x(w.begins), frame.x(w.ends))) for w in one.windows)
    tiers = (_tier(tier, x, top + 31, one.status) for tier, x in across if x[0] < x[1])
    yield f"<g><title>{escape(_told(one))}</title>{''.join(tiers)}</g>"
    yield f'<text x="{bar.left:.1f}" y="{top + 12}">{escape(_label(one))}</text>'


def _tier(tier: Tier, across: tuple[float, float], foot: int, status: str) -> str:
    left, height = across[0], HEIGHTS[tier]
    return (
        f'<rect class="{tier} {status}" x="{left:.1f}" y="{foot - height}"'
        f' width="{across[1] - left:.1f}" height="{height}"/>'
    )


def _told(one: Occurrence) -> str:
    return "; ".join([f"{_label(one)} ({one.status})", *(str(Hold(one, w)) for w in one.windows)])


def _months(frame: Frame, height: int) -> Iterator[str]:
    """A line where each month begins, with its name where there is room for it."""
    for begins in _firsts(frame):
        x = frame.x(begins)
        yield f'<line class="rule" x1="{x:.1f}" x2="{x:.1f}" y1="44" y2="{height}"/>'
        if x + 5 + 8 * LETTER < frame.width:
            yield f'<text class="month" x="{x + 5:.1f}" y="56">{begins:%b %Y}</text>'


def _firsts(frame: Frame) -> Iterator[datetime]:
    """The first moment shown, where its month's name has room, and every month's first after it."""
    first = datetime(frame.since.year, frame.since.month, 1, tzinfo=UTC)
    while first < frame.until:
        following = (first + timedelta(days=32)).replace(day=1)
        if first > frame.since or frame.x(following) - frame.x(frame.since) > 9 * LETTER:
            yield max(first, frame.since)
        first = following


def _today(frame: Frame, height: int) -> Iterator[str]:
    x = frame.x(frame.now)
    yield f'<line class="today" x1="{x:.1f}" x2="{x:.1f}" y1="40" y2="{height}"/>'
    said = f"today {frame.now:%d %b}"
    yield f'<text class="today-text" x="{x + 4:.1f}" y="{height + 11}">{said}</text>'


def _legend(frame: Frame) -> Iterator[str]:
    left = float(MARGIN)
    for tier in TIERS:
        yield _tier(tier, (left, left + 22), 26, "confirmed")
        yield f'<text x="{left + 28:.0f}" y="25">{tier}</text>'
        left += 28 + LETTER * (len(tier) + 2)
    yield _tier("hard", (left, left + 22), 26, "tentative")
    yield f'<text x="{left + 28:.0f}" y="25">tentative?</text>'


def _head(frame: Frame, height: int) -> str:
    size = f'width="{frame.width}" height="{height}" viewBox="0 0 {frame.width} {height}"'
    filled = "".join(f".{tier}{{fill:{colour}}}" for tier, colour in COLOURS.items())
    dashed = "".join(f".{tier}.tentative{{stroke:{COLOURS[tier]}}}" for tier in TIERS)
    said = f"Calendar from {frame.since:%Y-%m-%d} to {frame.until:%Y-%m-%d}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{said}">'
        "<style>text{font:13px system-ui,sans-serif;fill:#1a1a1a}text{stroke:#fff;stroke-width:3;"
        "paint-order:stroke}.lane,.month{font-weight:600}"
        ".rule{stroke:#d0d0d0}.today{stroke:#1a1a1a;stroke-width:2}.today-text{font-size:12px}"
        f"{filled}.tentative{{fill:#fff;stroke-width:1.5;stroke-dasharray:4 3}}{dashed}</style>"
        f'<title>{said}</title><rect width="{frame.width}" height="{height}" fill="#fff"/>'
    )
