"""When people are told: once, again while nobody answers, and again where a chat was away."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.notices.messages import Message
from domain.notices.settings import Event

PAUSES_SECONDS = (60.0, 300.0, 900.0, 3600.0)
"""Between one attempt and the next; after the last attempt there is none."""
MOST_ATTEMPTS = len(PAUSES_SECONDS) + 1


@dataclass(frozen=True)
class Topic:
    """What is told once to each target; the ``reminder``-th time while nobody answers."""

    event: Event
    key: str
    reminder: int = 0


@dataclass(frozen=True)
class Notice:
    """One message for one target, after so many ``attempts``."""

    topic: Topic
    target: str
    message: Message
    attempts: int = 0

    @property
    def given_up(self) -> bool:
        """Whether no attempt is left."""
        return self.attempts >= MOST_ATTEMPTS


def due(
    now: datetime,
    waiting_since: datetime,
    last_told: datetime | None,
    remind_seconds: float,
    answered: bool,
) -> bool:
    """Whether people are told (again) that something waits for them.

    >>> noon = datetime(2026, 11, 24, 12)
    >>> due(noon + timedelta(minutes=30), noon, noon, 1800, False), due(noon, noon, noon, 1, True)
    (True, False)
    """
    if answered or now < waiting_since:
        return False
    return last_told is None or now - last_told >= timedelta(seconds=remind_seconds)
