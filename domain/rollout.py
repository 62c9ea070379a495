"""In which order hosts get a new version: every strategy is a row of waves."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from domain.shop import Rollout


@dataclass(frozen=True)
class Wave:
    """Desired state of one slice: the candidate's share of each host's traffic, in percent.

    ``share`` is what it comes to over all hosts, in percent.
    """

    name: str
    weights: Mapping[str, int]

    @property
    def share(self) -> int:
        return round(sum(self.weights.values()) / len(self.weights))


def waves(rollout: Rollout, weights: Sequence[int], hosts: Sequence[str]) -> tuple[Wave, ...]:
    """The waves of a strategy; ``weights`` (percent, rising to 100) are the canary's steps.

    >>> [w.name for w in waves(Rollout("rolling", "2"), (), ("a", "b", "c"))]
    ['2 of 3 hosts', '3 of 3 hosts']
    """
    if rollout.strategy == "canary":
        return tuple(Wave(str(weight), dict.fromkeys(hosts, weight)) for weight in weights)
    if rollout.strategy == "blue-green":
        return at_once(hosts)
    counts = _counts(rollout, weights, len(hosts))
    return tuple(_first(count, hosts) for count in counts)


def at_once(hosts: Sequence[str]) -> tuple[Wave, ...]:
    """Everything in one wave: where nothing served before, and on the way back."""
    return (Wave("100", dict.fromkeys(hosts, 100)),)


def _counts(rollout: Rollout, weights: Sequence[int], hosts: int) -> Iterator[int]:
    """How many hosts have moved after each wave, each number once."""
    if rollout.strategy == "rolling":
        batch = max(1, portion(rollout.batch, hosts))
        yield from range(batch, hosts, batch)
        yield hosts
        return
    yield from sorted({math.ceil(weight * hosts / 100) for weight in weights})


def _first(count: int, hosts: Sequence[str]) -> Wave:
    return Wave(
        f"{count} of {len(hosts)} hosts",
        {host: 100 if place < count else 0 for place, host in enumerate(hosts)},
    )


def portion(text: str, of: int) -> int:
    """How many a portion is, rounded down; ValueError when it is none.

    >>> portion("25%", 10), portion("3", 10)
    (2, 3)
    """
    number = int(text.removesuffix("%"))
    if number < 0 or (text.endswith("%") and number > 100):
        raise ValueError(text)
    return of * number // 100 if text.endswith("%") else number


def below_quorum(
    missing: Mapping[str, str], rollout: Rollout, hosts: Sequence[str]
) -> tuple[str, ...]:
    """Why a deployment may not go on without ``missing`` (host to reason); empty means go.

    >>> below_quorum({"b": "no answer"}, Rollout(max_unavailable="0"), ("a", "b"))
    ('1 of 2 hosts missing against 0 allowed (b: no answer)',)
    """
    allowed = min(portion(rollout.max_unavailable, len(hosts)), len(hosts) - 1)
    if len(missing) <= allowed:
        return ()
    shown = "; ".join(f"{host}: {reason}" for host, reason in sorted(missing.items())[:5])
    return (f"{len(missing)} of {len(hosts)} hosts missing against {allowed} allowed ({shown})",)
