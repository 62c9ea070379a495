"""A hotfix: one service on the shortest safe way to customers, on the clock."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain.digest import digest_of
from domain.shop import Canary, HotfixRules

LEAST_REASON = 10


@dataclass(frozen=True)
class Hotfix:
    """What makes a release a hotfix. ``merged_at`` is when its commit was in the main branch."""

    version: str
    service: str
    incident: str
    asked_at: datetime
    deadline_at: datetime
    merged_at: datetime | None


def shortened(canary: Canary, rules: HotfixRules) -> Canary:
    """The same verdicts in fewer, shorter steps; never longer than they are."""
    return replace(
        canary,
        weights=rules.weights,
        bake_seconds=min(canary.bake_seconds, rules.bake_seconds),
        step_timeout_seconds=min(canary.step_timeout_seconds, rules.step_timeout_seconds),
    )


def key(shop: str, service: str, commit: str, incident: str) -> str:
    """The same fix of the same incident is the same run, however often it is asked for."""
    return f"hotfix:{digest_of([shop, service, commit, incident])[7:39]}"


@dataclass(frozen=True)
class Wanted:
    """A request for a hotfix, as facts: what it says, and whether the service changes at all."""

    service: str
    incident: str
    reason: str
    known_services: Sequence[str]
    unchanged_since: str
    """The version that serves the same files; "" where something changes."""


def objections(wanted: Wanted) -> tuple[str, ...]:
    """Beyond those to any release."""
    known, length = ", ".join(wanted.known_services), len(wanted.reason.strip())
    found = (
        (
            wanted.service not in wanted.known_services,
            f"service is {wanted.service!r}, known are {known}",
        ),
        (
            not wanted.incident.strip(),
            "incident is empty: a hotfix belongs to one, as INC-4711",
        ),
        (
            length < LEAST_REASON,
            f"reason has {length} characters, at least {LEAST_REASON} are needed",
        ),
        (
            bool(wanted.unchanged_since),
            f"nothing of {wanted.service} differs from {wanted.unchanged_since}, which serves:"
            " the fix is elsewhere",
        ),
    )
    return tuple(sentence for wrong, sentence in found if wrong)


@dataclass(frozen=True)
class Clock:
    """``percent`` of the time is used; ``text`` says what is left, or by how much it is late."""

    percent: float
    text: str
    late: bool


def clock(hotfix: Hotfix, now: datetime, stage: str) -> Clock:
    """
    >>> asked = datetime(2026, 11, 11, 2, 0)
    >>> fix = Hotfix("2026.11.11.1", "storefront", "INC-1", asked, asked.replace(minute=30), None)
    >>> clock(fix, asked.replace(minute=10), "canary").text
    '20 min 00 s left until 02:30 UTC: canary'
    >>> clock(fix, asked.replace(minute=31), "canary").text
    '1 min 00 s over the deadline of 02:30 UTC: canary'
    """
    whole = hotfix.deadline_at - hotfix.asked_at
    left = hotfix.deadline_at - now
    used = min(100.0, max(0.0, 100 * (1 - left / whole)))
    at = f"{hotfix.deadline_at:%H:%M} UTC: {stage}"
    if left < timedelta(0):
        return Clock(used, f"{_minutes(-left)} over the deadline of {at}", True)
    return Clock(used, f"{_minutes(left)} left until {at}", False)


def _minutes(span: timedelta) -> str:
    minutes, seconds = divmod(int(span.total_seconds()), 60)
    return f"{minutes} min {seconds:02d} s"


def reminder(hotfix: Hotfix, commit: str, branch: str) -> str:
    """What is still to be done after it."""
    return (
        f"hotfix {hotfix.version} of {hotfix.service} ({hotfix.incident}) serves {commit[:10]},"
        f" which is not in {branch}: merge it back, or the next release from {branch} loses it"
    )
