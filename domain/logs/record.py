"""One log line as a document with ECS's flat names, whoever wrote it and however.

Names: https://www.elastic.co/docs/reference/ecs (``@timestamp``, ``log.level``, ``message``, …).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

Document = dict[str, Any]

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
ECS_VERSION = "8.17.0"
MOST_CHARACTERS = 32_000
"""Of one value: what is longer is cut, and says so."""

MOST_DEPTH, MOST_FIELDS = 6, 200
TIMES = ("@timestamp", "timestamp", "time")
MESSAGES = ("message", "msg")
LEVELS = ("log.level", "level", "severity")
APPROXIMATE = "labels.time"
"""Says ``approximate`` where a line came without its time: it has that of the line before it."""


@dataclass(frozen=True)
class Origin:
    """Who wrote a line, as the host knows it; what the line says of it itself does not count."""

    service: str
    version: str
    environment: str
    host: str
    dataset: str = "tradewind.service"
    deployment: str = ""
    flow_run: str = ""

    def fields(self) -> Document:
        """Only those that are known."""
        known = {
            "service.name": self.service,
            "service.version": self.version,
            "service.environment": self.environment,
            "host.name": self.host,
            "event.dataset": self.dataset,
            "labels.release": self.version,
            "labels.deployment": self.deployment,
            "labels.flow_run": self.flow_run,
        }
        return {name: value for name, value in known.items() if value}


def wrapped(line: str, before: datetime) -> Document:
    """A line as its writer meant it: JSON with its own fields, anything else as a message.

    ``before`` is the time that it gets where it has none.
    """
    own = _object(line)
    if own is None:
        return {**_timed(None, before), "log.level": "info", "message": cut(line)}
    fields = dict(_flat(own))
    taken = {name: _taken(fields, names) for name, names in _MEANT.items()}
    return {
        **_timed(moment(taken["time"]), before),
        "log.level": str(taken["level"] or "info").lower(),
        "message": str(taken["message"] or cut(line)),
        **fields,
    }


_MEANT = {"time": TIMES, "message": MESSAGES, "level": LEVELS}


def _timed(at: datetime | None, before: datetime) -> Document:
    known = {} if at else {APPROXIMATE: "approximate"}
    return {"@timestamp": stamp(at or before), **known, "ecs.version": ECS_VERSION}


def _taken(fields: Document, names: tuple[str, ...]) -> Any:
    """The first that is there; it is no other field any more."""
    found = [fields.pop(name, None) for name in names]
    return next((one for one in found if one is not None), None)


def _object(line: str) -> dict[str, Any] | None:
    if not line.lstrip().startswith("{"):
        return None
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _flat(value: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Nested objects by dotted names, as many as a line may have."""
    for number, (name, one) in enumerate(_leaves(value, "", 1)):
        if number >= MOST_FIELDS:
            yield "labels.fields", f"more than {MOST_FIELDS}"
            return
        yield name, one


def _leaves(value: Mapping[str, Any], under: str, depth: int) -> Iterator[tuple[str, Any]]:
    for name, one in value.items():
        if isinstance(one, dict) and depth < MOST_DEPTH:
            yield from _leaves(one, f"{under}{name}.", depth + 1)
        elif isinstance(one, dict | list):
            yield f"{under}{name}", cut(json.dumps(one, ensure_ascii=False))
        else:
            yield f"{under}{name}", cut(one) if isinstance(one, str) else one


def cut(text: str) -> str:
    """
    >>> cut("tea")
    'tea'
    """
    left = len(text) - MOST_CHARACTERS
    return text if left <= 0 else f"{text[:MOST_CHARACTERS]}… ({left} characters more)"


def moment(text: Any) -> datetime | None:
    """A time in ISO 8601; without a zone it is UTC. None for anything else."""
    if not isinstance(text, str):
        return None
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def nanoseconds(document: Mapping[str, Any]) -> int:
    """Of its time, since 1970.

    >>> nanoseconds({"@timestamp": "1970-01-01T00:00:01.000002Z"})
    1000002000
    """
    passed = (moment(document.get("@timestamp")) or LONG_AGO) - LONG_AGO
    return ((passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds) * 1000


def stamp(at: datetime) -> str:
    """
    >>> stamp(datetime(2026, 11, 28, 11, 5, tzinfo=UTC))
    '2026-11-28T11:05:00.000000Z'
    """
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
