"""How often one may try, how long a session holds, and when a code counts."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from domain.errors import BadInput

WRONG = "name, password or code is wrong"
"""The only answer to somebody who could not prove who they are: it says nothing of which."""

FAILURES_OF_A_NAME, FAILURES_OF_AN_ADDRESS = 5, 20
FAILURE_WINDOW = timedelta(minutes=15)
IDLE, ABSOLUTE = timedelta(hours=8), timedelta(hours=12)
CODE_SECONDS = 30
MOST_TOKEN_DAYS = 366


def try_again_at(failures: Sequence[datetime], most: int, now: datetime) -> datetime | None:
    """When the next try is allowed; None: now. ``failures`` need no order.

    >>> noon = datetime(2026, 11, 24, 12)
    >>> try_again_at([noon] * 5, 5, noon)
    datetime.datetime(2026, 11, 24, 12, 15)
    """
    recent = sorted(at for at in failures if now - at < FAILURE_WINDOW)
    return recent[-most] + FAILURE_WINDOW if len(recent) >= most else None


def too_many(again: datetime) -> str:
    """The sentence for whoever tried too often."""
    return f"too many failed tries; try again at {again:%Y-%m-%d %H:%M:%S} UTC"


def expires_at(begun_at: datetime, seen_at: datetime) -> datetime:
    """When a session ends if it is not used again."""
    return min(begun_at + ABSOLUTE, seen_at + IDLE)


def code_steps(now: datetime) -> tuple[int, ...]:
    """The steps of 30 seconds (RFC 6238) whose code counts now: this one and its neighbours."""
    step = int(now.timestamp()) // CODE_SECONDS
    return (step - 1, step, step + 1)


def token_days(days: int) -> timedelta:
    """How long a token holds; BadInput for less than a day or more than a year."""
    if not 1 <= days <= MOST_TOKEN_DAYS:
        raise BadInput(f"days are {days}, they have to be 1 to {MOST_TOKEN_DAYS}")
    return timedelta(days=days)
