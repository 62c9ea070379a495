"""Which versions one may go back to, and why not to the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

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


def too_soon(
    breaking: Sequence[str],
    history: Sequence[tuple[str, datetime | None]],
    now: datetime,
    window_seconds: float,
) -> tuple[str, ...]:
    """Statements that take away what an older version needs, while one may still go back to it.

    ``history`` has each deployment's version and end, newest first. The version before left when
    the one that serves took over.

    >>> then, now = datetime(2026, 11, 24, 12), datetime(2026, 11, 24, 13)
    >>> too_soon(["DROP TABLE a"], [("2", then), ("1", then)], now, 7200)[0][:52]
    'DROP TABLE a: one may go back to 1 until 2026-11-24 '
    """
    versions = [version for version, _ in history]
    if not versions or len(set(versions)) == 1:
        return ()
    older = next(place for place, version in enumerate(versions) if version != versions[0])
    left = history[older - 1][1] or now
    until = left + timedelta(seconds=window_seconds)
    if now >= until:
        return ()
    return tuple(
        f"{statement}: one may go back to {versions[older]} until {until:%Y-%m-%d %H:%M} UTC,"
        " and it may need that; release it afterwards"
        for statement in breaking
    )


def refusals(version: str, environment: str, found: Sequence[Candidate]) -> tuple[str, ...]:
    """Why ``environment`` may not go back to ``version``; empty means go."""
    chosen = next((one for one in found if one.version == version), None)
    if chosen is None:
        good = ", ".join(one.version for one in found if not one.against) or "none"
        return (f"version is {version!r}, {environment} can go back to: {good}",)
    return chosen.against
