"""Which freezes hold at a moment, and which begin next."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from domain.calendar.events import Occurrence
from domain.calendar.tiers import TIERS, Tier, Window


@dataclass(frozen=True)
class Hold:
    """An event's tier on a channel, for as long as it lasts."""

    occurrence: Occurrence
    window: Window

    def __str__(self) -> str:
        one, tier = self.occurrence, self.window.tier
        begins, ends = one.local(self.window.begins), one.said(self.window.ends)
        return f"{one.event} on {one.channel}, {tier} from {begins:%Y-%m-%d %H:%M} to {ends}"

    @property
    def confirmed(self) -> bool:
        return self.occurrence.status == "confirmed"

    @property
    def thawed(self) -> datetime:
        """When neither the soft nor the hard tier holds any more."""
        return max(one.ends for one in self.occurrence.windows if one.tier != "watch")


@dataclass(frozen=True)
class Standing:
    """What holds ``now``, what would if it were confirmed, and what begins next on each channel."""

    now: datetime
    holds: tuple[Hold, ...]
    tentative: tuple[Hold, ...]
    coming: tuple[Hold, ...]

    @property
    def tiers(self) -> dict[str, Tier]:
        """The strictest tier of every channel that has one."""
        strictest_last = sorted(self.holds, key=lambda one: -TIERS.index(one.window.tier))
        return {one.occurrence.channel: one.window.tier for one in strictest_last}


def standing(
    now: datetime,
    occurrences: Iterable[Occurrence],
    on_tentative: Literal["warn", "freeze"] = "warn",
) -> Standing:
    """``now`` has an offset; what is tentative holds only if it shall freeze, too."""
    known = tuple(occurrences)
    current = [Hold(one, window) for one in known if (window := one.window(now))]
    binding = [one for one in current if on_tentative == "freeze" or one.confirmed]
    loose = tuple(one for one in current if one not in binding)
    return Standing(now, tuple(binding), loose, tuple(_coming(now, known)))


def _coming(now: datetime, known: Iterable[Occurrence]) -> Iterator[Hold]:
    """Of each channel the freeze that begins next, and all that begin with it."""
    later = [
        Hold(one, window)
        for one in known
        for window in one.windows
        if window.begins > now and window.tier != "watch"
    ]
    first: dict[str, datetime] = {}
    for hold in sorted(later, key=lambda one: (one.window.begins, one.occurrence.channel)):
        if first.setdefault(hold.occurrence.channel, hold.window.begins) == hold.window.begins:
            yield hold
