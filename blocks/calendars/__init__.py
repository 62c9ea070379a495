"""The shop's calendar: the well-known promotions and its own files, as dates on its channels."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from blocks.calendars.feasts import tables
from blocks.calendars.files import read, shipped
from domain.calendar.events import Event, Market, Occurrence, occurrences
from domain.calendar.rules import Years, key
from domain.calendar.settings import KINDS, Calendar
from domain.calendar.standing import Standing, standing
from domain.errors import BadInput


@dataclass(frozen=True)
class Calendars:
    """Files are found in ``folder``; they may name ``channels``, all that shop.yaml has anywhere.

    Everything is read when it is asked for, so that an event entered now holds at the next step.
    """

    settings: Calendar
    folder: Path
    channels: tuple[str, ...]

    def standing(self, markets: Sequence[Market], now: datetime) -> Standing:
        """What holds on these channels. Raises BadInput when a file is wrong."""
        near = (now.year - 1, now.year, now.year + 1)
        found = self.occurrences(markets, near)
        return standing(now, found, self.settings.on_tentative)

    def occurrences(self, markets: Sequence[Market], years: Years) -> tuple[Occurrence, ...]:
        """Every event that begins in these years. Raises BadInput when a file is wrong."""
        events = self.events(years)
        needed = tables({found for one in events if (found := key(one.rule))}, years)
        return occurrences(events, markets, years, needed, self.settings.lengths)

    def events(self, years: Years) -> tuple[Event, ...]:
        """The shop's own, and the well-known ones that none of them replaces."""
        known = {*self.channels, *KINDS}
        files = {name: read(self.folder / name, years, known) for name in self.settings.files}
        wrong = tuple(self._wrong(files))
        if wrong:
            raise BadInput(*wrong)
        own = tuple(event for found in files.values() for event in found)
        replaced = {*self.settings.without, *(one.name for one in own)}
        return (*own, *(one for one in shipped() if one.name not in replaced))

    def _wrong(self, files: dict[str, tuple[Event, ...]]) -> Iterator[str]:
        """Several times in iCalendar are several events; in YAML a name is there once."""
        known = [one.name for one in shipped()]
        for name in self.settings.without:
            if name not in known:
                yield f"calendar.without has {name!r}, known are {', '.join(known)}"
        seen: set[str] = set()
        for name, events in files.items():
            for event in events if not name.endswith(".ics") else ():
                if event.name in seen:
                    yield f"{name}: {event.name} is given twice"
                seen.add(event.name)
