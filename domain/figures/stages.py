"""Where the time goes, and what was decided: steps of the ledger under their stage's name."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from domain.figures.facts import Timed, Waited
from domain.figures.spread import Spread, spread

OF_A_RELEASE = "the release itself"
NO_STAGES = ("without ",)
"""A host that is left out takes no time."""
CALLED = {"watch": "canary"}
MOST_STAGES = 200


@dataclass(frozen=True)
class StageTime:
    """One stage in one environment, over all of its deployments."""

    environment: str
    stage: str
    took: Spread


def stage_of(name: str, services: Collection[str]) -> str:
    """What a step does, without the service and the slice of traffic it does it to.

    >>> stage_of("route storefront 10", ["storefront"]), stage_of("back up", ["storefront"])
    ('route', 'back up')
    >>> stage_of("restore: traffic of storefront", ["storefront"])
    'restore: traffic'
    """
    words = name.split(" ")
    at = next((at for at, word in enumerate(words) if word in services), len(words))
    kept = words[:at]
    while kept and kept[-1] in ("of", "to", "for"):
        kept.pop()
    stage = " ".join(kept) or name
    return CALLED.get(stage, stage)


def stage_times(steps: Iterable[Timed], services: Collection[str]) -> tuple[StageTime, ...]:
    """The longest first; the slices of one deployment are one time."""
    sums: dict[tuple[str, str], dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for step in steps:
        if not step.name.startswith(NO_STAGES):
            key = (step.environment or OF_A_RELEASE, stage_of(step.name, services))
            sums[key][step.scope] += step.seconds
    found = [StageTime(*key, spread(one.values())) for key, one in sums.items()]
    found.sort(key=lambda one: (-(one.took.median or 0), one.environment, one.stage))
    return tuple(found[:MOST_STAGES])


def verdicts(
    steps: Iterable[Timed], services: Collection[str]
) -> Mapping[tuple[str, str], Mapping[str, int]]:
    """By environment and stage, how often each verdict was given."""
    found: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for step in steps:
        if step.verdict:
            found[(step.environment, stage_of(step.name, services))][step.verdict] += 1
    return {key: dict(sorted(found[key].items())) for key in sorted(found)}


def checks(
    counts: Mapping[tuple[str, str, str], int],
) -> Mapping[tuple[str, str], Mapping[str, int]]:
    """By environment and check, how often each result came."""
    found: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for (place, check, result), times in sorted(counts.items()):
        found[(place, check)][result] = times
    return dict(found)


def waits(waited: Iterable[Waited]) -> Mapping[str, Spread]:
    """By environment, how long people were waited for until they answered."""
    found: dict[str, list[float]] = defaultdict(list)
    for one in waited:
        if one.decided_at is not None and one.decision in ("approved", "rejected"):
            found[one.environment].append((one.decided_at - one.asked_at).total_seconds())
    return {name: spread(found[name]) for name in sorted(found)}
