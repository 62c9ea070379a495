"""Findings about a contract: what they say, who accepted them, and which stop a release."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal

from domain.contracts.countdown import OVERDUE, due
from domain.digest import digest_of

Kind = Literal["breaking", "deprecation", "warning", "information"]
KINDS: tuple[Kind, ...] = ("breaking", "deprecation", "warning", "information")
LIVE = "live"
"""The source of what answers themselves show."""


@dataclass(frozen=True)
class Found:
    """What one comparison says of ``subject``, in a sentence; ``decided_on`` is when it ends."""

    kind: Kind
    subject: str
    detail: str
    decided_on: date | None = None


@dataclass(frozen=True)
class Finding:
    """A row of the ledger. It is gone when the last comparison did not show it any more.

    ``told_days`` is the last threshold (180, 90, 30 or 0 days left) that people were told of.
    """

    id: str
    channel: str
    source: str
    kind: Kind
    subject: str
    detail: str
    found_at: datetime
    decided_on: date | None = None
    told_days: int | None = None
    accepted_by: str = ""
    accepted_reason: str = ""
    accepted_at: datetime | None = None
    gone_at: datetime | None = None

    @property
    def open(self) -> bool:
        return self.accepted_at is None and self.gone_at is None


def finding_id(channel: str, source: str, found: Found) -> str:
    """The same finding has the same id every night; short enough to be typed."""
    said = [channel, source, found.kind, found.subject, found.detail]
    return digest_of(said).removeprefix("sha256:")[:10]


def aged(found: Iterable[Found], today: date) -> tuple[Found, ...]:
    """Without repetitions; what has ended by ``today`` is breaking, whatever it was before."""
    return tuple(dict.fromkeys(_aged(one, today) for one in found))


def _aged(found: Found, today: date) -> Found:
    if found.decided_on is not None and due(found.decided_on, today) == OVERDUE:
        return replace(found, kind="breaking")
    return found


def version_findings(pinned: str, answered: str) -> tuple[Found, ...]:
    """An answer of another version than the one asked for: an expired one falls forward silently.

    Nothing is known of a channel that does not say its version.
    """
    if not pinned or not answered or pinned == answered:
        return ()
    detail = f"answers are of version {answered}, pinned is {pinned}"
    return (Found("breaking", "API version", detail),)


def objections(findings: Iterable[Finding]) -> tuple[str, ...]:
    """Why the next release must not be cut, one sentence per open breaking finding."""
    return tuple(
        f"contract of {one.channel} ({one.source}) is broken since {one.found_at:%Y-%m-%d}:"
        f" {one.subject} {one.detail}; when the client is ready for it:"
        f" tradewind contracts accept {one.id} --by NAME --reason WHY"
        for one in findings
        if one.kind == "breaking" and one.open
    )


def settled(findings: Iterable[Finding]) -> bool:
    """Whether nobody needs to look at any of them: then a source's new text is agreed with."""
    return not any(one.open and one.kind in ("breaking", "warning") for one in findings)


def to_tell(findings: Iterable[Finding], today: date) -> tuple[tuple[Finding, int], ...]:
    """Findings whose end came closer than a threshold that nobody was told of yet, with it."""
    near = ((one, due(one.decided_on, today)) for one in findings if one.decided_on)
    return tuple(
        (one, days)
        for one, days in near
        if days is not None and one.gone_at is None
        if one.told_days is None or days < one.told_days
    )
