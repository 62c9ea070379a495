"""Which versions one may go back to, and why not to the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.manifest import Manifest
from domain.plan import quarantined


@dataclass(frozen=True)
class Served:
    """A deployment that was done; ``breaks`` are its statements that older code cannot take."""

    manifest: Manifest
    at: datetime
    breaks: tuple[str, ...]

    @property
    def version(self) -> str:
        return self.manifest.version


@dataclass(frozen=True)
class Candidate:
    """A version that served before; ``against`` is empty when one may go back to it."""

    version: str
    served_at: datetime
    against: tuple[str, ...]


def candidates(history: Sequence[Served], bad: Mapping[str, str]) -> tuple[Candidate, ...]:
    """``history`` newest first, the first one serves now; each older version once, newest first.

    Source of ``bad``: the ledger's quarantine, digest to reason.
    """
    found: dict[str, Candidate] = {}
    for place, served in enumerate(history[1:], start=1):
        if served.version == history[0].version or served.version in found:
            continue
        against = (
            *quarantined(served.manifest, bad),
            *(
                f"the schema no longer fits it since {newer.version}: {statement}"
                for newer in history[:place]
                for statement in newer.breaks
            ),
        )
        found[served.version] = Candidate(served.version, served.at, against)
    return tuple(found.values())


def refusals(version: str, environment: str, found: Sequence[Candidate]) -> tuple[str, ...]:
    """Why ``environment`` may not go back to ``version``; empty means go."""
    chosen = next((one for one in found if one.version == version), None)
    if chosen is None:
        good = ", ".join(one.version for one in found if not one.against) or "none"
        return (f"version is {version!r}, {environment} can go back to: {good}",)
    return chosen.against
