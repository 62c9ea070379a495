"""Dates that libraries know: Thanksgiving, the Chinese and the Umm al-Qura calendar."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import lru_cache

from hijridate import Gregorian, Hijri
from lunardate import LunarDate

from domain.calendar.rules import month_and_day
from domain.errors import BadInput

FIRST_YEAR, LAST_YEAR = 1925, 2076
"""What every one of the libraries can do."""


def tables(keys: Iterable[str], years: Sequence[int]) -> dict[str, tuple[date, ...]]:
    """For each key of a rule (see ``domain.calendar.rules.key``) its dates in these years.

    Raises BadInput for a year that the libraries do not know.
    """
    for year in years:
        if not FIRST_YEAR <= year <= LAST_YEAR:
            raise BadInput(f"year is {year}: {FIRST_YEAR} to {LAST_YEAR} can be computed")
    return {key: tuple(day for year in years for day in _dates(key, year)) for key in set(keys)}


@lru_cache(maxsize=1024)
def _dates(key: str, year: int) -> tuple[date, ...]:
    name, _, on = key.partition(" ")
    match name:
        case "thanksgiving":
            return _thanksgiving(year)
        case "lunar":
            return tuple(_lunar(year, *month_and_day(on)))
        case "hijri":
            return tuple(_hijri(year, *month_and_day(on)))
    raise BadInput(f"table is {key!r}, known are thanksgiving, lunar MM-DD and hijri MM-DD")


def _thanksgiving(year: int) -> tuple[date, ...]:
    from holidays import country_holidays  # half a second, which few processes need

    return tuple(country_holidays("US", years=year, language="en_US").get_named("Thanksgiving Day"))


def _lunar(year: int, month: int, day: int) -> Iterator[date]:
    """A year's last lunar months are in the next year; not every month has 30 days."""
    for lunar_year in (year - 1, year):
        try:
            found = LunarDate(lunar_year, month, day).to_solar_date()
        except ValueError:
            continue
        if found.year == year:
            yield found


def _hijri(year: int, month: int, day: int) -> Iterator[date]:
    """Once or twice in a year, as its own years are shorter; not every month has 30 days."""
    first = Gregorian(year, 1, 1).to_hijri().year
    last = Gregorian(year, 12, 31).to_hijri().year
    for hijri_year in range(first, last + 1):
        if day > Hijri(hijri_year, month, 1).month_length():
            continue
        found = Hijri(hijri_year, month, day).to_gregorian()
        if found.year == year:
            yield date(*found.datetuple())
