"""The calendar for people and programs: which tier is when, on which channel, and what may ship."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from domain.calendar.events import Occurrence
from domain.calendar.standing import Hold
from domain.calendar.tiers import MAY_SHIP
from domain.markdown import plain


@dataclass(frozen=True)
class Row:
    """One tier of one event, on all channels whose clocks show the same times."""

    when: str
    event: str
    channels: tuple[str, ...]
    zones: tuple[str, ...]
    tier: str
    status: str
    may_ship: str


def between(known: Iterable[Occurrence], since: datetime, until: datetime) -> tuple[Hold, ...]:
    """Every tier that holds at any time from ``since`` to ``until``, the earliest first."""
    holds = (
        Hold(one, window)
        for one in known
        for window in one.windows
        if window.begins < until and window.ends > since
    )
    return tuple(sorted(holds, key=lambda one: (one.window.begins, one.occurrence.channel)))


def rows(holds: Sequence[Hold]) -> tuple[Row, ...]:
    """Holds that read the same are one row, where the first of them is."""
    together: dict[tuple[str, ...], list[Occurrence]] = {}
    for hold in holds:
        one, tier = hold.occurrence, hold.window.tier
        together.setdefault((when(hold), one.event, tier, one.status, MAY_SHIP[tier]), []).append(
            one
        )
    return tuple(
        Row(said, event, _distinct(one.channel for one in found),
            _distinct(one.time_zone for one in found), tier, status, may_ship)
        for (said, event, tier, status, may_ship), found in together.items()
    )  # fmt: skip


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def when(hold: Hold) -> str:
    """By the channel's clock: the first and the last day, or times where it is not whole days."""
    one, window = hold.occurrence, hold.window
    begins, ends = one.local(window.begins), one.local(window.ends)
    if begins.time() == ends.time() == time():
        days = (f"{day:%Y-%m-%d}" for day in (begins, ends - timedelta(days=1)))
        return " … ".join(dict.fromkeys(days))
    return f"{begins:%Y-%m-%d %H:%M} … {ends:%Y-%m-%d %H:%M}"


def entries(holds: Sequence[Hold]) -> tuple[dict[str, str], ...]:
    """For programs: every channel by itself, times in ISO 8601 with the channel's own offset."""
    return tuple(
        {
            "event": hold.occurrence.event,
            "channel": hold.occurrence.channel,
            "time_zone": hold.occurrence.time_zone,
            "tier": hold.window.tier,
            "status": hold.occurrence.status,
            "source": hold.occurrence.source,
            "begins": hold.occurrence.local(hold.window.begins).isoformat(),
            "ends": hold.occurrence.local(hold.window.ends).isoformat(),
            "may_ship": MAY_SHIP[hold.window.tier],
        }
        for hold in holds
    )


def page(holds: Sequence[Hold], notes: Sequence[str], now: datetime) -> str:
    """Markdown for the Prefect UI; what holds ``now`` stands out."""
    lines = ["# Calendar", "", *(f"- {plain(note)}" for note in notes), ""]
    if not holds:
        return "\n".join([*lines, "Nothing is in the way."])
    lines += ["| | when | event | channels | what may ship |", "|---|---|---|---|---|"]
    current = rows([one for one in holds if one.window.begins <= now < one.window.ends])
    marked = {(row.when, row.event, row.tier) for row in current}
    lines += [
        _line(row, "now" if (row.when, row.event, row.tier) in marked else "")
        for row in rows(holds)
    ]
    return "\n".join(lines)


def _line(row: Row, mark: str) -> str:
    tier = f"**{row.tier}, {mark}**" if mark else row.tier
    tentative = " (tentative)" if row.status == "tentative" else ""
    cells = (
        tier, row.when, plain(row.event) + tentative, plain(", ".join(row.channels)), row.may_ship,
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"
