"""The verdict on stock and orders: looks before and after a release, and what they mean."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from blocks.quality import Judged
from blocks.quality.scope import Purpose
from domain.checks.catalogue import ALL
from domain.checks.evidence import Evidence, Outcome, exposure
from domain.checks.judgement import judged, verdict
from domain.checks.looks import Look, Part
from tasks.channels import Channels, begun, units, usual_settling

KNOWN_LOOKS = 200
"""Looks before the release that say how large a number usually is."""


@dataclass(frozen=True)
class Before:
    """The outcome of the baseline's step."""

    since: str
    settle_seconds: float
    looks: list[int]
    ended: str
    divergence: list[dict[str, Any]]


def windows(channels: Channels) -> Mapping[str, Any]:
    """Several looks, a part of the settle window apart; the last one's stock is the opening."""
    checks = channels.checks
    since, looks = begun(checks.history_seconds), list[Look]()
    for number in range(checks.baseline_windows):
        if number:
            time.sleep(checks.settle_seconds / checks.baseline_windows)
        opening = looks[-1].id if looks else None
        looks.append(channels.look("baseline", since, checks.settle_seconds, opening))
    return {
        "since": since.isoformat(),
        "settle_seconds": usual_settling(checks, tuple(looks)),
        "looks": [look.id for look in looks],
        "ended": looks[-1].at.isoformat(),
        "divergence": [units(look) for look in looks],
    }


def looked_at(channels: Channels, before: Before) -> tuple[tuple[Look, ...], tuple[Outcome, ...]]:
    """Looks a settle window apart, each two of them judged, until one fails.

    What only begins after a while, as orders that get lost, is seen by the later ones.
    """
    since, opening = datetime.fromisoformat(before.since), before.looks[-1]
    channels.measure(since, before.settle_seconds)

    def settled(purpose: Purpose) -> Look:
        time.sleep(before.settle_seconds)
        return channels.look(purpose, since, before.settle_seconds, opening)

    looks: list[Look] = []
    for number in range(channels.checks.windows):
        looks.append(channels.whole(partial(settled, "again" if number else "first")))
        if number and _fails(channels, before, looks[-2], looks[-1]):
            break
    first, again, limit = looks[-2].id, looks[-1].id, channels.checks.sql_above_rows
    found = channels.quality.judge(channels.environment, opening, first, again, limit)
    return tuple(looks), judgements(channels, before, (looks[-2], looks[-1]), found)


def _fails(channels: Channels, before: Before, first: Look, again: Look) -> bool:
    """Counted by plain SQL, which is there at once; Great Expectations has the last word."""
    place, after = channels.environment, before.looks[-1]
    new = Judged(channels.quality.persisting(place, after, first.id, again.id))
    outcomes = judgements(channels, before, (first, again), new)
    return verdict(outcomes, channels.checks.restores) == "fail"


def judgements(
    channels: Channels, before: Before, looks: tuple[Look, Look], found: Judged
) -> tuple[Outcome, ...]:
    """Every check of every channel; nothing is known where what persists could not be evaluated."""
    first, again = looks
    quality, place = channels.quality, channels.environment
    usual = quality.usual(place, before.looks)
    history = quality.history(place, first.id, KNOWN_LOOKS)
    times = exposure([look for look in history if look.id in before.looks], again)
    outcomes: list[Outcome] = []
    for name, part in first.parts.items():
        seen = replace(part, unknown=part.unknown or found.problem)
        evidence = Evidence(
            name, _parts(history, name, before.looks), seen, again.parts.get(name, seen),
            found.new.get(name, {}), usual.get(name, {}), _parts(history, name),
            channels.sample(name), times,
        )  # fmt: skip
        outcomes += judged(evidence, channels.checks)
    return tuple(outcomes)


def _parts(looks: tuple[Look, ...], channel: str, ids: list[int] | None = None) -> tuple[Part, ...]:
    return tuple(
        look.parts[channel]
        for look in looks
        if channel in look.parts and (ids is None or look.id in ids)
    )


def said(outcome: Outcome) -> str:
    where = "" if outcome.channel == ALL else f"{outcome.channel}: "
    return f"{where}{outcome.check} {outcome.result}: {outcome.detail}"
