"""Events of the calendar, and when each of them is on which channel."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from domain.calendar.rules import Announced, Rule, Span, Status, Tables, faults, spans
from domain.calendar.tiers import NOTHING_AROUND, Lengths, Tier, Window, windows
from domain.fields import STRICT, Range

Days = Annotated[int, Range(0, 60)]
LONGEST_NAME = 80


@dataclass(frozen=True, kw_only=True)
class Event:
    """A promotion or a freeze of one's own.

    It runs on channels whose name or kind is among ``channels`` and whose zone is among ``zones``
    (``Asia/`` is all of them there); none given means all. One with a ``tier`` is a window of
    that tier with nothing around it but the days given here; others have the settings' days.
    """

    __pydantic_config__ = STRICT
    name: str
    rule: Rule
    channels: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    status: Status = "confirmed"
    source: str = ""
    tier: Tier | None = None
    soft_days: Days | None = None
    hard_days: Days | None = None
    after_days: Days | None = None
    watch_days: Days | None = None


@dataclass(frozen=True)
class Market:
    """A channel as the calendar knows it: its name, its kind, and where its day begins."""

    name: str
    kind: str
    time_zone: str


@dataclass(frozen=True)
class Occurrence:
    """An event once on one channel; all times are UTC, ``ends`` is the first moment after it."""

    event: str
    channel: str
    time_zone: str
    status: Status
    source: str
    begins: datetime
    ends: datetime
    windows: tuple[Window, ...]

    def window(self, now: datetime) -> Window | None:
        """The one that ``now`` is in."""
        return next((one for one in self.windows if one.begins <= now < one.ends), None)

    def local(self, moment: datetime) -> datetime:
        """The channel's own clock."""
        return moment.astimezone(ZoneInfo(self.time_zone))

    def said(self, moment: datetime) -> str:
        """The channel's own time and zone, for people."""
        return f"{self.local(moment):%Y-%m-%d %H:%M} {self.time_zone}"


def occurrences(
    events: Sequence[Event],
    markets: Sequence[Market],
    years: Sequence[int],
    tables: Tables,
    defaults: Lengths,
) -> tuple[Occurrence, ...]:
    """Every event that begins in ``years``, on every channel it runs on, the earliest first.

    ``tables`` has the dates of rules that need some; see ``domain.calendar.rules.key``.
    """
    found = (
        occurrence(event, span, market, defaults)
        for event in events
        for span in spans(event.rule, years, tables)
        for market in markets
        if runs_on(event, market)
    )
    return tuple(sorted(found, key=lambda one: (one.begins, one.event, one.channel)))


def runs_on(event: Event, market: Market) -> bool:
    """Whether an event is on a channel at all."""
    named = not event.channels or {market.name, market.kind} & set(event.channels)
    return bool(named) and (not event.zones or any(_covers(z, market) for z in event.zones))


def _covers(zone: str, market: Market) -> bool:
    return market.time_zone == zone or (zone.endswith("/") and market.time_zone.startswith(zone))


def occurrence(event: Event, span: Span, market: Market, defaults: Lengths) -> Occurrence:
    """An event's span in a channel's own time, with the tiers around it."""
    zone = span.time_zone or market.time_zone
    walls = windows(span.begins, span.ends, lengths(event, defaults), event.tier or "hard")
    begins, ends = _instants((span.begins, span.ends), zone)
    tentative = "tentative" in (event.status, span.status)
    return Occurrence(
        event.name, market.name, market.time_zone, "tentative" if tentative else "confirmed",
        span.source or event.source, begins, ends, _placed(walls, zone),
    )  # fmt: skip


def lengths(event: Event, defaults: Lengths) -> Lengths:
    """An event's own days, else the defaults."""
    around = NOTHING_AROUND if event.tier else defaults
    return Lengths(
        around.soft if event.soft_days is None else event.soft_days,
        around.hard if event.hard_days is None else event.hard_days,
        around.after if event.after_days is None else event.after_days,
        around.watch if event.watch_days is None else event.watch_days,
    )


def _placed(walls: Sequence[Window], zone: str) -> tuple[Window, ...]:
    if not walls:
        return ()
    edges = _instants((walls[0].begins, *(one.ends for one in walls)), zone)
    placed = zip(walls, pairwise(edges), strict=True)
    return tuple(Window(one.tier, *edge) for one, edge in placed if edge[0] < edge[1])


def _instants(walls: Sequence[datetime], zone: str) -> list[datetime]:
    """In UTC, in order: an hour that is skipped may not turn an event round."""
    found: list[datetime] = []
    for wall in walls:
        found.append(max([instant(wall, zone), *found[-1:]]))
    return found


def instant(wall: datetime, zone: str) -> datetime:
    """When a zone's clock shows this time, in UTC.

    As RFC 5545 (3.3.5) has it: the first time where it is shown twice, and by the offset before
    where it is skipped, so that a day whose midnight is skipped begins when it begins.
    """
    return wall.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC)


def undated(events: Sequence[Event], markets: Sequence[Market], year: int) -> tuple[str, ...]:
    """Announced events that run on one of the markets and have no dates in this year yet."""
    return tuple(
        f"{one.name} has no dates in {year} yet: enter them when they are announced"
        for one in events
        if isinstance(one.rule, Announced) and not spans(one.rule, (year,), {})
        if any(runs_on(one, market) for market in markets)
    )


def objections(event: Event, known: Collection[str]) -> Iterator[str]:
    """What is wrong with an event beyond its fields' limits; ``known`` are channels and kinds."""
    if not 0 < len(event.name.strip()) <= LONGEST_NAME:
        yield f"name has {len(event.name.strip())} characters: 1 to {LONGEST_NAME} are needed"
    yield from (f"rule.{said}" for said in faults(event.rule))
    for channel in event.channels:
        if channel not in known:
            yield f"channels has {channel!r}, known are {', '.join(sorted(known))}"
    for zone in event.zones:
        if not any(one == zone or _below(one, zone) for one in available_timezones()):
            yield f"zones has {zone!r}: no IANA time zone, and no area like Asia/"


def _below(zone: str, area: str) -> bool:
    return area.endswith("/") and zone.startswith(area)
