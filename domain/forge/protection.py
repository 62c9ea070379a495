"""Whether a forge confirms what is required of a commit; what it does not say did not pass."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from domain.forge.settings import Required

Evidence = dict[str, Any]
"""JSON-ready: who was asked what, when, and what was answered."""
SUCCESS = "success"
NONE = "nothing shown"


@dataclass(frozen=True)
class Branch:
    """A branch as the forge tells it: whether it is protected, whether it has the commit."""

    name: str
    protected: bool
    has_commit: bool


@dataclass(frozen=True)
class Reviewed:
    """A merged change: who approved the head that was merged, who only an older one."""

    number: int
    url: str
    approved_by: tuple[str, ...]
    older: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shown:
    """What the forge says of one commit; ``checks`` has each check's state by its name."""

    branches: tuple[Branch, ...] = ()
    reviewed: tuple[Reviewed, ...] = ()
    checks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Inquiry:
    """Who is asked about which commit, and when (aware UTC)."""

    forge: str
    project: str
    commit: str
    ref: str
    asked_at: datetime


def objections(required: Required, commit: str, shown: Shown) -> tuple[str, ...]:
    """Why the commit may not be released; each names what, how much and the limit."""
    return (
        *(_unprotected(commit, shown.branches) if required.protected else ()),
        *_unreviewed(required.reviews, commit, shown.reviewed),
        *_unchecked(required.checks, commit, shown.checks),
    )


def unknown(inquiry: Inquiry, reason: str) -> tuple[str, ...]:
    """The objection to a commit of which the forge says nothing."""
    return (
        f"{inquiry.forge} does not say whether {inquiry.commit[:10]} is protected, reviewed and"
        f" checked ({reason}): not known is not passed",
    )


def evidence(inquiry: Inquiry, required: Required, shown: Shown | None, reason: str) -> Evidence:
    """The question and its answer; ``shown`` is None where there was none, for this ``reason``."""
    return {
        **asdict(inquiry),
        "asked_at": inquiry.asked_at.isoformat(),
        "required": asdict(required),
        "shown": None if shown is None else asdict(shown),
        "reason": reason,
    }


def _unprotected(commit: str, branches: tuple[Branch, ...]) -> Iterator[str]:
    names = ", ".join(one.name for one in branches)
    having = [one for one in branches if one.has_commit]
    if not having:
        yield f"{commit[:10]} is on none of the branches {names}: it has to be on a protected one"
    elif not any(one.protected for one in having):
        where = ", ".join(one.name for one in having)
        yield f"{commit[:10]} is on {where}, which the forge does not protect"


def _unreviewed(least: int, commit: str, reviewed: tuple[Reviewed, ...]) -> Iterator[str]:
    if not least:
        return
    if not reviewed:
        yield f"{commit[:10]} came with no merged change: 0 reviews against {least}"
        return
    best = max(reviewed, key=lambda one: len(one.approved_by))
    if len(best.approved_by) < least:
        older = f" ({len(best.older)} more of an older head)" if best.older else ""
        count = len(best.approved_by)
        yield f"change {best.number} has {count} reviews of what was merged{older} against {least}"


def _unchecked(names: tuple[str, ...], commit: str, checks: Mapping[str, str]) -> Iterator[str]:
    for name in names:
        state = checks.get(name, NONE)
        if state != SUCCESS:
            yield f"check {name!r} on {commit[:10]} is {state!r}, {SUCCESS!r} is required"
