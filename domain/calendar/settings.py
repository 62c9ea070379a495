"""What ``shop.yaml`` says of the calendar, and what in it must agree with the rest of the file."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args
from zoneinfo import available_timezones

from domain.account import Channel
from domain.calendar.events import Days, Market
from domain.calendar.tiers import Lengths
from domain.fields import STRICT, kinds

OWN_SHOP = "shop"
"""Name and kind of the shop's own pages, where it has customers of its own."""

KINDS = (*(kind for one in get_args(get_args(Channel)[0]) for kind in kinds(one)), OWN_SHOP)
READ = (".yaml", ".yml", ".ics")

Objection = tuple[tuple[str, ...], str]


@dataclass(frozen=True)
class Calendar:
    """Promotions and freezes, and what they hold up in ``environments``.

    ``files`` (YAML or iCalendar, beside shop.yaml) add to the well-known promotions; an event of
    the same name takes the place of one, and ``without`` names those that mean nothing here.
    ``time_zone`` is where the shop's own pages have their customers; "" when it has none. A change
    of a ``guarded`` service touches stock, orders or an API's version. ``scope`` names the channels
    that a service speaks to; one that is not there speaks to all. Days are those of the tiers.
    """

    __pydantic_config__ = STRICT
    files: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    environments: tuple[str, ...] = ("production",)
    time_zone: str = ""
    guarded: tuple[str, ...] = ()
    scope: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    on_tentative: Literal["warn", "freeze"] = "warn"
    soft_days: Days = 14
    hard_days: Days = 3
    after_days: Days = 1
    watch_days: Days = 3

    @property
    def lengths(self) -> Lengths:
        return Lengths(self.soft_days, self.hard_days, self.after_days, self.watch_days)


def markets(settings: Calendar, channels: Mapping[str, Channel]) -> tuple[Market, ...]:
    """The channels of an environment, and the shop's own pages where they have customers."""
    declared = (Market(name, one.kind, one.time_zone) for name, one in channels.items())
    own = Market(OWN_SHOP, OWN_SHOP, settings.time_zone)
    return (*declared, *((own,) if settings.time_zone else ()))


@dataclass(frozen=True)
class Facts:
    """Names that the rest of shop.yaml declares; ``channels`` are those of every environment."""

    services: Collection[str]
    environments: Collection[str]
    channels: Collection[str]


def objections(settings: Calendar, facts: Facts) -> tuple[Objection, ...]:
    """Each with the place it speaks of: field, value, limit."""
    channels = (*facts.channels, *((OWN_SHOP,) if settings.time_zone else ()))
    named: list[tuple[tuple[str, ...], Collection[str], Collection[str]]] = [
        (("environments",), settings.environments, facts.environments),
        (("guarded",), settings.guarded, facts.services),
        (("scope",), settings.scope, facts.services),
        *((("scope", service), to, channels) for service, to in settings.scope.items()),
    ]
    unknown = (one for where, given, known in named for one in _unknown(where, given, known))
    return (*unknown, *_own(settings))


def _unknown(
    where: tuple[str, ...], given: Collection[str], known: Collection[str]
) -> Iterator[Objection]:
    here = ("calendar", *where)
    for name in given:
        if name not in known:
            yield here, f"{'.'.join(here)} has {name!r}, known are {', '.join(known) or 'none'}"


def _own(settings: Calendar) -> Iterator[Objection]:
    """What must agree within the calendar itself."""
    if settings.time_zone and settings.time_zone not in available_timezones():
        said = f"calendar.time_zone is {settings.time_zone!r}: no IANA time zone"
        yield ("calendar", "time_zone"), said
    for number, name in enumerate(settings.files):
        if not name.endswith(READ):
            said = f"calendar.files.{number} is {name!r}: {', '.join(READ)} are read"
            yield ("calendar", "files", str(number)), said
    for outer, inner in (("soft_days", "hard_days"), ("watch_days", "after_days")):
        most, least = getattr(settings, outer), getattr(settings, inner)
        if most < least:
            said = f"calendar.{outer} is {most}: at least {inner}, {least}, is needed"
            yield ("calendar", outer), said
