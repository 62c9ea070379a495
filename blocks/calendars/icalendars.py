"""Events in iCalendar (RFC 5545): read from what people keep, written so that they can subscribe.

``SUMMARY`` is the event's name, ``CATEGORIES`` are channels, ``X-TRADEWIND-TIER`` makes it a window
of that tier.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time
from typing import Any, cast, get_args
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events

from domain.calendar.events import Event, Occurrence
from domain.calendar.rules import Span, Timed, Years
from domain.calendar.tiers import Tier, Window
from domain.digest import digest_of
from domain.errors import BadInput

MOST = 2000
REPEATS = ("YEARLY", "MONTHLY", "WEEKLY")
TOO_FINE = ("BYHOUR", "BYMINUTE", "BYSECOND")
FIRST_YEAR = 2000
UNREADABLE = (
    ValueError, KeyError, TypeError, AttributeError, OverflowError, icalendar.InvalidCalendar,
)  # fmt: skip
"""How the libraries say so."""

TIER, NAME = "X-TRADEWIND-TIER", "X-TRADEWIND-EVENT"


def ics_events(content: bytes, name: str, years: Years) -> tuple[Event, ...]:
    """One event for each time in ``years``; a cancelled one is none.

    Raises BadInput for what is no iCalendar, has more than 2,000 events, or repeats too often.
    """
    try:
        calendar = icalendar.Calendar.from_ical(content)
        declared = calendar.walk("VEVENT")
        _limited(declared, name)
        found = recurring_ical_events.of(calendar).between(
            date(min(years), 1, 1), date(max(years) + 1, 1, 1)
        )
        return tuple(_event(one, name) for one in found if one.get("STATUS") != "CANCELLED")
    except UNREADABLE as error:
        raise BadInput(f"{name} is no iCalendar: {' '.join(str(error).split())[:200]}") from error


def _limited(declared: Sequence[Any], name: str) -> None:
    """Before anything is counted out: a rule of seconds would never come to an end."""
    if len(declared) > MOST:
        raise BadInput(f"{name} has {len(declared)} events: at most {MOST} are read")
    wrong = tuple(
        f"{name}: {one.get('SUMMARY', '')}: {said}" for one in declared for said in _against(one)
    )
    if wrong:
        raise BadInput(*wrong)


def _against(one: Any) -> Iterator[str]:
    """What would be dropped, be taken for something else, or never come to an end."""
    zone = one["DTSTART"].params.get("TZID", "")
    if zone and getattr(one.start, "tzinfo", None) is None:
        yield f"TZID is {zone!r}: no time zone that is known"
    if one.end < one.start:
        yield f"it ends {one.end}, before it begins, {one.start}"
    for rule in one.rrules:
        yield from _repeats(rule)
        if one.start.year < FIRST_YEAR:
            yield f"it repeats from {one.start.year} on: {FIRST_YEAR} is the first"


def _repeats(rule: Any) -> Iterator[str]:
    often = str(rule.get("FREQ", [""])[0]).upper()
    if often not in REPEATS or any(part in rule for part in TOO_FINE):
        yield f"it repeats {often or 'never'}: {', '.join(REPEATS)} are read, by days only"
    if any(every < 1 for every in rule.get("INTERVAL", ())):
        yield f"INTERVAL is {rule['INTERVAL'][0]}: at least 1 is needed"
    if often == "WEEKLY" and "BYMONTHDAY" in rule:
        yield "it repeats WEEKLY on days of a month, which RFC 5545 (3.3.10) does not allow"


def _event(one: Any, name: str) -> Event:
    tier = str(one.get(TIER, "")).strip().lower()
    if tier and tier not in get_args(Tier):
        known = ", ".join(get_args(Tier))
        raise BadInput(f"{name}: {one.get('SUMMARY', '')}: {TIER} is {tier!r}, known are {known}")
    return Event(
        name=str(one.get(NAME, "") or one.get("SUMMARY", "")).strip(),
        rule=Timed(kind="timed", times=(_span(one.start, one.end),)),
        channels=tuple(str(text).strip() for text in one.categories),
        status="tentative" if one.get("STATUS") == "TENTATIVE" else "confirmed",
        source=str(one.get("URL", "") or name),
        tier=cast(Tier, tier) if tier else None,
    )


def _span(begins: date, ends: date) -> Span:
    """Days and floating times are each channel's own; others keep their zone."""
    if not isinstance(begins, datetime) or not isinstance(ends, datetime):
        return Span(datetime.combine(begins, time()), datetime.combine(ends, time()))
    if begins.tzinfo is None:
        return Span(begins, ends)
    zone = begins.tzinfo if isinstance(begins.tzinfo, ZoneInfo) else ZoneInfo("UTC")
    first, last = (one.astimezone(zone).replace(tzinfo=None) for one in (begins, ends))
    return Span(first, last, zone.key)


def export_ics(occurrences: Iterable[Occurrence], made_at: datetime) -> bytes:
    """Every tier of every occurrence as an event of its own, in UTC.

    What ``ics_events`` reads from it freezes the same channels at the same times.
    """
    calendar = icalendar.Calendar()
    calendar.add("PRODID", "-//Tradewind//Calendar//EN")
    calendar.add("VERSION", "2.0")
    calendar.add("X-WR-CALNAME", "Promotions and freezes")
    for one in occurrences:
        for event in _written(one, made_at):
            calendar.add_component(event)
    written: bytes = calendar.to_ical()
    return written


def _written(one: Occurrence, made_at: datetime) -> Iterator[icalendar.Event]:
    for window in one.windows:
        event = icalendar.Event()
        for name, value in _properties(one, window).items():
            event.add(name, value)
        event.add("DTSTAMP", made_at.astimezone(UTC))
        yield event


def _properties(one: Occurrence, window: Window) -> dict[str, Any]:
    what = (one.event, one.channel, window.tier, window.begins.isoformat())
    return {
        "UID": f"{digest_of(what)[-32:]}@tradewind",
        "SUMMARY": f"{one.event}: {window.tier} on {one.channel}",
        NAME: one.event,
        TIER: window.tier,
        "CATEGORIES": [one.channel],
        "STATUS": one.status.upper(),
        "DTSTART": window.begins,
        "DTEND": window.ends,
        "TRANSP": "TRANSPARENT",
    }
