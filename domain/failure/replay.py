"""Whether a stage may be replayed, and what a replay showed."""

from dataclasses import dataclass

NOT_REPLAYED = {
    "migrate": "migrate is rehearsed by a release, on the backup that it proves:"
    " `tradewind release --until {place}` rehearses it",
    "check": "check compares what a release did to the channels, and a replay does nothing to"
    " them: `tradewind divergences` compares them now",
}
NEEDS_ARTIFACTS = ("start", "smoke")


@dataclass(frozen=True)
class Asked:
    """A request as facts. ``moving`` is the version under way there, ``held`` who stopped it."""

    stage: str
    route: tuple[str, ...]
    by: str
    services: tuple[str, ...]
    known_services: tuple[str, ...]
    moving: str
    held: str
    built: bool


@dataclass(frozen=True)
class Verdict:
    """What the stage came to for one service this time."""

    service: str
    passed: bool
    said: str


def objections(asked: Asked) -> tuple[str, ...]:
    """Everything against it: what, and what to do instead."""
    place, stage = asked.route[0], asked.stage
    unknown = [name for name in asked.services if name not in asked.known_services]
    found = (
        (not asked.by.strip(), "requested_by is empty: a replay has a name on it"),
        (
            len(asked.route) < 2,
            f"the route is only {place}, where customers are: a replay needs an environment"
            " before it",
        ),
        (
            stage in NOT_REPLAYED,
            NOT_REPLAYED.get(stage, "").format(place=place),
        ),
        (
            bool(unknown),
            f"service is {', '.join(unknown)}, known are {', '.join(asked.known_services)}",
        ),
        (
            stage in NEEDS_ARTIFACTS and not asked.built,
            f"it was never built, so there is nothing to {stage}: replay test or build",
        ),
        (bool(asked.moving), f"{place} has {asked.moving} under way: wait until it ended"),
        (bool(asked.held), f"{place} is {asked.held}"),
    )
    return tuple(sentence for wrong, sentence in found if wrong)


def compared(service: str, now: str, then: str) -> Verdict:
    """
    >>> compared("web", "sha256:ab", "").said
    'built sha256:ab; it was never built before'
    """
    if not then:
        return Verdict(service, True, f"built {now[:19]}; it was never built before")
    if now == then:
        return Verdict(service, True, f"built {now[:19]}, the same as then")
    said = f"built {now[:19]}, then it was {then[:19]}: the build is not the same twice"
    return Verdict(service, False, said)
