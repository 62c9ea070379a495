"""What the dashboard's pictures share: SVG that stands in a page and takes the page's colours.

No style, script, font or image of its own: `class` names the colour, which the page's style sheet
gives by day and by night. Each result has a shape too, for those who do not see its colour.
"""

from collections.abc import Mapping
from html import escape
from typing import Literal

Result = Literal["well", "back", "stuck", "refused", "moving"]
LETTER = 7.6
"""The width of a letter of 13 px, rather too much than too little."""

RESULTS: Mapping[str, Result] = {
    "done": "well",
    "released": "well",
    "rolling back": "back",
    "rolled back": "back",
    "restored": "back",
    "halted": "stuck",
    "refused": "refused",
}
CORNERS: Mapping[str, tuple[tuple[float, float], ...]] = {
    "back": ((0, -1), (1, 0), (0, 1), (-1, 0)),
    "stuck": ((0, -1), (1, 0.8), (-1, 0.8)),
}


def result(state: str) -> Result:
    """How a deployment or a release ended; what has not ended is moving.

    >>> result("done"), result("canary"), result("halted")
    ('well', 'moving', 'stuck')
    """
    return RESULTS.get(state, "moving")


def mark(how: Result, x: float, y: float, size: float = 6) -> str:
    """A mark around a point: disc, diamond, triangle, ring, or a disc in a ring."""
    if how in CORNERS:
        points = " ".join(f"{x + a * size:.1f},{y + b * size:.1f}" for a, b in CORNERS[how])
        return f'<polygon class="mark {how}" points="{points}"/>'
    disc = f'<circle class="mark {how}" cx="{x:.1f}" cy="{y:.1f}" r="{size * 0.85:.1f}"/>'
    if how != "moving":
        return disc
    return f'{disc}<circle class="mark core" cx="{x:.1f}" cy="{y:.1f}" r="{size * 0.35:.1f}"/>'


def text(said: str, x: float, y: float, kind: str = "") -> str:
    """Escaped; ``kind`` is a class, as are ``soft`` and ``strong``."""
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{x:.1f}" y="{y:.1f}">{escape(said)}</text>'


def linked(target: str, told: str, shapes: str) -> str:
    """Shapes that lead somewhere, and say what they are when pointed at or read aloud."""
    said = escape(told)
    return f'<a href="{escape(target)}" aria-label="{said}"><title>{said}</title>{shapes}</a>'


def cut(said: str, pixels: float) -> str:
    """As much of it as fits.

    >>> cut("2026.11.24.1", 200), cut("a long name", 50)
    ('2026.11.24.1', 'a lon…')
    """
    most = max(1, int(pixels / LETTER))
    return said if len(said) <= most else f"{said[: most - 1]}…"


def picture(size: tuple[int, int], told: str, kind: str, body: str) -> str:
    """One SVG, so many pixels wide and high, that names itself."""
    width, height = size
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="drawn {kind}" width="{width}"'
        f' height="{height}" viewBox="0 0 {width} {height}" role="group"'
        f' aria-label="{escape(told)}"><title>{escape(told)}</title>{body}</svg>'
    )
