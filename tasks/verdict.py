"""The verdict on stock and orders: looks before and after a release, and what they mean."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from blocks.quality import Judged
from domain.checks.catalogue import ALL
from domain.checks.evidence import Evidence, Outcome
from domain.checks.judgement import judged
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
        looks.append(channels.look("baseline", since, checks.settle_seconds))
    return {
        "since": since.isoformat(),
        "settle_seconds": usual_settling(checks, tuple(looks)),
        "looks": [look.id for look in looks],
        "ended": looks[-1].at.isoformat(),
        "divergence": [units(look) for look in looks],
    }


def looked_at(channels: Channels, before: Before) -> tuple[Look, Look, tuple[Outcome, ...]]:
    """A look after the settle window; where anything is wrong, one more a window later."""
    since, opening = datetime.fromisoformat(before.since), before.looks[-1]
    channels.measure(since, before.settle_seconds)

    def settled(purpose: Any, asked: Mapping[str, tuple[str, ...]] | None = None) -> Look:
        time.sleep(before.settle_seconds)
        return channels.look(purpose, since, before.settle_seconds, opening, asked)

    first = again = channels.whole(partial(settled, "first"))
    place, after = channels.environment, before.looks[-1]
    new = channels.quality.persisting(place, after, first.id, first.id)
    if not _clean(judgements(channels, before, (first, first), Judged(new))):
        named = channels.wrong(first, datetime.fromisoformat(before.ended))
        again = channels.whole(partial(settled, "again", named))
    limit = channels.checks.sql_above_rows
    found = channels.quality.judge(place, after, first.id, again.id, limit)
    return first, again, judgements(channels, before, (first, again), found)


def _clean(outcomes: tuple[Outcome, ...]) -> bool:
    return all(one.result in ("pass", "off") for one in outcomes)


def judgements(
    channels: Channels, before: Before, looks: tuple[Look, Look], found: Judged
) -> tuple[Outcome, ...]:
    """Every check of every channel; nothing is known where what persists could not be evaluated."""
    first, again = looks
    quality, place = channels.quality, channels.environment
    usual = quality.usual(place, before.looks)
    history = quality.history(place, first.id, KNOWN_LOOKS)
    outcomes: list[Outcome] = []
    for name, part in first.parts.items():
        seen = replace(part, unknown=part.unknown or found.problem)
        evidence = Evidence(
            name, _parts(history, name, before.looks), seen, again.parts.get(name, seen),
            found.new.get(name, {}), usual.get(name, {}), _parts(history, name),
            channels.sample(name),
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
