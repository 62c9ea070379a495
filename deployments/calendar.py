"""What `tradewind calendar` shows: the freezes of the next days as rows, iCalendar or a picture."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from blocks.calendars import Calendars
from blocks.calendars.icalendars import export_ics
from blocks.shop import Live
from domain.calendar.events import Market, Occurrence, undated
from domain.calendar.page import between, entries, page, rows
from domain.calendar.picture import Frame, picture
from domain.calendar.settings import Calendar, markets
from domain.calendar.standing import Hold
from domain.errors import BadInput, Refused
from domain.shop import Shop

MOST_DAYS = 366


@dataclass(frozen=True)
class Horizon:
    """So many ``days`` from ``now``. Raises BadInput for less than 1 or more than 366."""

    now: datetime
    days: int = 90

    def __post_init__(self) -> None:
        if not 1 <= self.days <= MOST_DAYS:
            raise BadInput(f"days is {self.days}: 1 to {MOST_DAYS} can be shown")

    @property
    def until(self) -> datetime:
        return self.now + timedelta(days=self.days)


class CalendarView:
    """A shop's calendar from now on."""

    def __init__(self, calendars: Calendars, shop: Shop, horizon: Horizon) -> None:
        self.calendars = calendars
        self.markets = guarded_markets(calendars.settings, shop)
        self.horizon = horizon

    def shown(self) -> dict[str, Any]:
        """For a terminal: one row for all channels whose clocks show the same."""
        found = [
            {**asdict(row), "zones": "each its own" if len(row.zones) > 2 else row.zones}
            for row in rows(self._holds)
        ]
        return {"calendar": found, "notes": self.notes}

    def machine(self) -> dict[str, Any]:
        """For programs: every channel by itself."""
        return {"calendar": list(entries(self._holds)), "notes": self.notes}

    def ics(self) -> bytes:
        """For people's own calendars."""
        held = {one.occurrence: None for one in self._holds}
        return export_ics(held, self.horizon.now)

    def markdown(self) -> str:
        """For the Prefect UI."""
        return page(self._holds, self.notes, self.horizon.now)

    def svg(self, width: int = 1280) -> str:
        """A picture so many pixels wide, beginning a week ago."""
        since = self.horizon.now - timedelta(days=7)
        frame = Frame(since, self.horizon.until, self.horizon.now, width)
        return picture(self._occurrences, frame)

    @property
    def notes(self) -> list[str]:
        """What people have to enter, and what is only tentative."""
        tentative = {
            f"{one.occurrence.event} is tentative: {one.occurrence.source or 'no source'}": None
            for one in self._holds
            if not one.confirmed
        }
        year = self.horizon.until.year
        return [*tentative, *undated(self.calendars.events((year,)), self.markets, year)]

    @cached_property
    def _occurrences(self) -> Sequence[Occurrence]:
        years = range(self.horizon.now.year - 1, self.horizon.until.year + 2)
        return self.calendars.occurrences(self.markets, years)

    @cached_property
    def _holds(self) -> Sequence[Hold]:
        return between(self._occurrences, self.horizon.now, self.horizon.until)


def view_of(live: Live, days: int = 90) -> CalendarView:
    """From now on. Refused where shop.yaml keeps no calendar."""
    if live.calendars is None:
        raise Refused(f"calendar is missing in {live.path.name}: there is nothing to show")
    return CalendarView(live.calendars, live.shop, Horizon(datetime.now(UTC), days))


def guarded_markets(settings: Calendar, shop: Shop) -> tuple[Market, ...]:
    """The channels of the environments that the calendar guards, each once."""
    found = {
        market.name: market
        for name in settings.environments
        for market in markets(settings, shop.environments[name].channels)
    }
    return tuple(found.values())
