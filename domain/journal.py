"""What the ledger remembers: rows as values, a deployment's states, and which may follow which."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from domain.errors import Refused

FORWARD = (
    "planned",
    "backup verified",
    "awaiting approval",
    "restoring",
    "expanded",
    "candidate up",
    "canary",
    "switched",
    "baked",
    "done",
)
FINAL = ("done", "rolled back", "halted", "refused")
BACKWARD = ("rolling back", "rolled back", "halted")
UNTOUCHED = ("planned", "backup verified", "awaiting approval")
"""States in which nothing that customers see was changed: the only ones that may be refused."""


@dataclass(frozen=True)
class Release:
    """One release; ``outcome`` says in a sentence how it ended, empty while it is under way."""

    version: str
    flow_run: str
    ref: str
    commit: str
    requested_by: str
    reason: str
    services: tuple[str, ...]
    route: tuple[str, ...]
    state: Literal["open", "built", "released", "refused", "restored", "halted"]
    outcome: str
    committed_at: datetime
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True)
class Deployment:
    """One attempt to bring a release into an environment; ``previous`` is what served before."""

    id: int
    version: str
    environment: str
    kind: Literal["release", "rollback", "restore"]
    flow_run: str
    requested_by: str
    state: str
    reason: str
    epoch: int
    previous: Mapping[str, Mapping[str, str]]
    created_at: datetime
    finished_at: datetime | None

    @property
    def finished(self) -> bool:
        return self.state in FINAL


@dataclass(frozen=True)
class Step:
    """One recorded effect: its intent, and the outcome once it is known."""

    scope: str
    name: str
    status: Literal["intent", "done", "failed"]
    epoch: int
    outcome: Mapping[str, Any]
    started_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True)
class Approval:
    """A person's decision on one plan; void when the plan's digest is another by then."""

    id: int
    deployment: int
    plan_digest: str
    requested_by: str
    decision: Literal["waiting", "approved", "rejected", "expired"]
    decided_by: str
    reason: str
    expires_at: datetime
    decided_at: datetime | None
    begins_at: datetime | None = None
    ends_at: datetime | None = None

    def too_early(self, now: datetime) -> bool:
        """Approved for a window that has not begun."""
        return self.begins_at is not None and now < self.begins_at

    def too_late(self, now: datetime) -> bool:
        """Approved for a window that is over."""
        return self.ends_at is not None and now >= self.ends_at


@dataclass(frozen=True)
class Decision:
    """A person's answer; one ``begins_at`` … ``ends_at`` approves for that window only."""

    decision: Literal["approved", "rejected"]
    decided_by: str
    reason: str = ""
    begins_at: datetime | None = None
    ends_at: datetime | None = None


def transition(before: str, after: str) -> None:
    """Raises Refused unless a deployment may go from ``before`` to ``after``; same to same may.

    >>> transition("canary", "rolling back")
    """
    if before == after:
        return
    if before in FINAL:
        raise Refused(f"the deployment is {before}: it cannot become {after}")
    if not _follows(before, after):
        raise Refused(f"a deployment that is {before} cannot become {after}")


def reached(now: str, state: str) -> bool:
    """Whether a deployment that is ``now`` has come to ``state`` already.

    >>> reached("switched", "canary"), reached("canary", "switched"), reached("canary", "halted")
    (True, False, False)
    """
    return any(
        now in way and state in way and way.index(now) >= way.index(state)
        for way in (FORWARD, BACKWARD)
    )


def _follows(before: str, after: str) -> bool:
    if after == "refused":
        return before in UNTOUCHED
    if before in BACKWARD:
        return after in BACKWARD
    if after in BACKWARD:
        return after == "rolling back"
    return FORWARD.index(after) > FORWARD.index(before)


def may_decide(approval: Approval, plan_digest: str, said: Decision, now: datetime) -> str:
    """Why an answer does not count, or "" when it does."""
    decided_by = said.decided_by
    if approval.decision != "waiting":
        return f"approval {approval.id} was already {approval.decision} by {approval.decided_by}"
    if now >= approval.expires_at:
        return f"approval {approval.id} expired at {approval.expires_at:%Y-%m-%d %H:%M:%S} UTC"
    if plan_digest != approval.plan_digest:
        return f"the plan is {approval.plan_digest[:19]} now, the answer was for {plan_digest[:19]}"
    if not decided_by.strip():
        return "decided_by is empty: an approval has a name on it"
    if same_person(decided_by, approval.requested_by):
        return f"{decided_by} asked for this release: somebody else has to approve it"
    if said.decision == "rejected" and not said.reason.strip():
        return "reason is empty: whoever asked for it has to know why it was rejected"
    return _bad_window(said, now)


def same_person(name: str, other: str) -> bool:
    r"""Whether two names are one, however they are written.

    >>> same_person(" Ann", "\N{FULLWIDTH LATIN SMALL LETTER A}NN ")
    True
    """
    return identity(name) == identity(other)


def identity(name: str) -> str:
    """The one way to write a name by which it is compared."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


def _bad_window(said: Decision, now: datetime) -> str:
    """
    >>> noon = datetime(2026, 11, 24, 12)
    >>> _bad_window(Decision("approved", "Bo", "", noon, datetime(2026, 11, 24, 11)), noon)
    'the window ends at 2026-11-24 11:00, it has to end after it begins at 2026-11-24 12:00'
    """
    begins, ends = said.begins_at, said.ends_at
    if begins is None and ends is None:
        return ""
    if begins is None or ends is None:
        return "a window has a beginning and an end"
    if ends <= begins:
        return (
            f"the window ends at {ends:%Y-%m-%d %H:%M},"
            f" it has to end after it begins at {begins:%Y-%m-%d %H:%M}"
        )
    return f"the window ended at {ends:%Y-%m-%d %H:%M}" if ends <= now else ""
