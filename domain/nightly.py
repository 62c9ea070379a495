"""The night's release: which head was there before, and what went wrong since the last night."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.journal import Release
from domain.report import cell

WRONG = ("refused", "restored", "halted")


@dataclass(frozen=True)
class Head:
    """What a branch ends with now."""

    branch: str
    commit: str
    subject: str


@dataclass(frozen=True)
class Night:
    """``came_to`` says what the head came to; ``wrong`` ended badly after ``since``."""

    head: Head
    came_to: str
    since: datetime
    wrong: tuple[Release, ...]


def went_before(
    releases: Iterable[Release], commit: str, services: Iterable[str], route: Sequence[str]
) -> Release | None:
    """The first in ``releases`` that took all of this commit along this route, whatever it came to.

    One of some services only, or of a part of the route, is another thing.
    """
    wanted = set(services)
    for release in releases:
        along = release.route[: len(route)] == tuple(route)
        if release.commit == commit and along and wanted <= set(release.services):
            return release
    return None


def gone_wrong(releases: Iterable[Release], since: datetime) -> tuple[Release, ...]:
    """Releases that ended refused, restored or halted after ``since``."""
    return tuple(
        release
        for release in releases
        if release.state in WRONG and release.finished_at and release.finished_at > since
    )


def told(release: Release) -> str:
    """What a release came to, in a line."""
    outcome = f": {release.outcome}" if release.outcome else ""
    return f"{release.version} {_state(release)}{outcome}"


def _state(release: Release) -> str:
    return release.state if release.finished_at else "is under way"


def night_report(night: Night) -> str:
    """What a person reads in the morning, in Markdown."""
    head = night.head
    return "\n\n".join(
        (
            f"# {cell(night.came_to)}",
            f"`{head.commit[:10]}` is the head of `{head.branch}`: {cell(head.subject)}",
            f"## Gone wrong since {night.since:%Y-%m-%d %H:%M} UTC",
            _wrong(night.wrong),
        )
    )


def _wrong(releases: Sequence[Release]) -> str:
    if not releases:
        return "Nothing."
    rows = (
        f"| {one.version} | {one.state} | {cell(one.ref)} | {cell(one.requested_by)} |"
        f" {cell(one.outcome)} |"
        for one in releases
    )
    return "\n".join(("| Release | End | Ref | By | Why |", "|---|---|---|---|---|", *rows))
