"""Events from files: the well-known promotions, and a shop's own in YAML or iCalendar."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from blocks.calendars.icalendars import ics_events
from domain.calendar.events import Event, objections
from domain.calendar.rules import Years
from domain.errors import BadInput
from domain.fields import STRICT

SHIPPED = Path(__file__).with_name("promotions.yaml")
MOST_BYTES = 1_048_576
MOST_EVENTS = 2000


@dataclass(frozen=True)
class Promotions:
    """The whole of a YAML file."""

    __pydantic_config__ = STRICT
    events: tuple[Event, ...]


_PROMOTIONS = TypeAdapter(Promotions)


@cache
def shipped() -> tuple[Event, ...]:
    """The promotions that come with Tradewind."""
    return yaml_events(_content(SHIPPED), SHIPPED.name)


def read(place: Path, years: Years, known: Collection[str]) -> tuple[Event, ...]:
    """A file's events in ``years``; ``known`` are the channels and kinds that it may name.

    Raises BadInput for a file that cannot be read, is too large, or has a wrong event.
    """
    content = _content(place)
    ics = place.suffix == ".ics"
    found = ics_events(content, place.name, years) if ics else yaml_events(content, place.name)
    if len(found) > MOST_EVENTS:
        raise BadInput(f"{place.name} has {len(found)} events: at most {MOST_EVENTS} are read")
    wrong = tuple(_wrong(place.name, found, known))
    if wrong:
        raise BadInput(*wrong)
    return found


def yaml_events(content: bytes, name: str) -> tuple[Event, ...]:
    """Raises BadInput for what is no YAML, or no calendar of events."""
    try:
        return _PROMOTIONS.validate_python(yaml.safe_load(content)).events
    except (yaml.YAMLError, ValueError) as error:
        if isinstance(error, ValidationError):
            raise BadInput(*(_said(name, one) for one in error.errors())) from error
        raise BadInput(f"{name} is not YAML: {' '.join(str(error).split())}") from error


def _said(name: str, error: Any) -> str:
    where = ".".join(map(str, error["loc"]))
    value = repr(error["input"])
    shown = value if len(value) < 80 else f"{value[:77]}…"
    return f"{name}: {where} is {shown}: {error['msg'][0].lower()}{error['msg'][1:]}"


def _content(place: Path) -> bytes:
    try:
        with place.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise BadInput(f"{place} cannot be read: {error.strerror}") from error
    if len(content) > MOST_BYTES:
        raise BadInput(f"{place.name} has more than {MOST_BYTES} bytes, which is the most")
    return content


def _wrong(name: str, events: Sequence[Event], known: Collection[str]) -> Iterator[str]:
    for number, event in enumerate(events):
        for said in objections(event, known):
            yield f"{name}: event {number + 1} ({event.name[:40]}): {said}"
