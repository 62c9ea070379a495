"""Tiers of a freeze around an event, as windows on a wall clock."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

Tier = Literal["hard", "soft", "watch"]
TIERS: tuple[Tier, ...] = ("hard", "soft", "watch")
"""The strictest first."""

MAY_SHIP: dict[Tier, str] = {
    "hard": "rollbacks; a first-priority hotfix with two approvers and a reason",
    "soft": "no change of schema, stock, orders or API versions; the rest with a canary and"
    " doubled checks",
    "watch": "everything, with tightened tolerances",
}


@dataclass(frozen=True)
class Lengths:
    """Days of the tiers: ``soft`` and ``hard`` begin so long before an event begins, ``hard`` ends
    ``after`` and ``watch`` ends so long after the event has ended."""

    soft: int = 14
    hard: int = 3
    after: int = 1
    watch: int = 3


NOTHING_AROUND = Lengths(0, 0, 0, 0)


@dataclass(frozen=True)
class Window:
    """One tier's time; ``ends`` is the first moment after it."""

    tier: Tier
    begins: datetime
    ends: datetime


def windows(
    begins: datetime, ends: datetime, lengths: Lengths, most: Tier = "hard"
) -> tuple[Window, ...]:
    """The tiers around an event from ``begins`` to ``ends``, none of them stricter than ``most``.

    Days are added to a wall clock: both times and all that come back are of one, without an offset.
    """
    hard = begins - timedelta(days=lengths.hard)
    soft = min(hard, begins - timedelta(days=lengths.soft))
    after = ends + timedelta(days=lengths.after)
    watch = max(after, ends + timedelta(days=lengths.watch))
    parts = (Window("soft", soft, hard), Window("hard", hard, after), Window("watch", after, watch))
    capped = (Window(_capped(one.tier, most), one.begins, one.ends) for one in parts)
    return tuple(_joined(one for one in capped if one.begins < one.ends))


def _capped(tier: Tier, most: Tier) -> Tier:
    return max(tier, most, key=TIERS.index)


def _joined(parts: Iterable[Window]) -> Iterator[Window]:
    """Neighbours of one tier are one window."""
    last: Window | None = None
    for one in parts:
        if last and last.tier == one.tier:
            last = Window(last.tier, last.begins, one.ends)
            continue
        if last:
            yield last
        last = one
    if last:
        yield last
