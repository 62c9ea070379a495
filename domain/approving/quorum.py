"""Whose statements count, and what they come to together."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Literal

from domain.approving.settings import Approving
from domain.approving.statement import Bound, Question, Statement
from domain.journal import may_decide, same_person

CLOCK_SECONDS = 60.0
"""So far may the clocks of who signs and of the ledger be apart."""


@dataclass(frozen=True)
class Standing:
    """Where an approval stands. ``by`` approved so far, or rejected; ``missing`` counts people.

    ``groups`` have nobody among them yet; ``begins_at`` … ``ends_at`` is the window in common.
    """

    state: Literal["waiting", "approved", "rejected", "expired"]
    by: tuple[str, ...] = ()
    reason: str = ""
    missing: int = 0
    groups: tuple[str, ...] = ()
    begins_at: datetime | None = None
    ends_at: datetime | None = None

    @property
    def sentence(self) -> str:
        """
        >>> Standing("waiting", ("bo",), missing=1, groups=("dba", "ops or security")).sentence
        'waiting for 1 more, from dba and ops or security; approved so far by bo'
        """
        if self.state == "waiting":
            whose = f", from {' and '.join(self.groups)}" if self.groups else ""
            so_far = f"; approved so far by {', '.join(self.by)}" if self.by else ""
            return f"waiting for {self.missing} more{whose}{so_far}"
        by = f" by {', '.join(self.by)}" if self.by else ""
        return f"{self.state}{by}{f': {self.reason}' if self.reason else ''}"


def decided(
    question: Question, statements: Iterable[Statement], approving: Approving, now: datetime
) -> Standing:
    """What statements, whose signatures were proven, come to. One rejection ends it, expiry too."""
    heard = counted(question, statements, approving)
    approval = question.approval
    for one in heard:
        if one.said.decision == "rejected":
            return Standing("rejected", (one.person,), one.said.reason)
    if approval.decision in ("rejected", "expired"):
        return Standing(approval.decision, tuple(filter(None, [approval.decided_by])))
    if approval.decision == "waiting" and now >= approval.expires_at:
        return Standing("expired", reason=f"at {approval.expires_at:%Y-%m-%d %H:%M:%S} UTC")
    return _gathered(heard, approving)


def counted(
    question: Question, statements: Iterable[Statement], approving: Approving
) -> tuple[Statement, ...]:
    """Those that count, in the order in which they were said."""
    heard: list[Statement] = []
    for one in sorted(statements, key=lambda one: (one.said_at, one.nonce)):
        if not objection(one, heard, question, approving):
            heard.append(one)
    return tuple(heard)


def objection(
    one: Statement, heard: Sequence[Statement], question: Question, approving: Approving
) -> str:
    """Why a statement does not count after those ``heard`` before, or "" when it does."""
    return counts(one, question, approving) or _repeated(one, heard) or _apart(one, heard)


def counts(statement: Statement, question: Question, approving: Approving) -> str:
    """Why a statement does not count, or "" when it does; by itself, as of when it was said."""
    waiting = replace(question.approval, decision="waiting")
    return (
        may_decide(waiting, statement.bound.plan_digest, statement.said, statement.said_at)
        or _other(statement, question.bound)
        or _stranger(statement)
        or _stale_factor(statement, approving)
    )


def late(statement: Statement, now: datetime) -> str:
    """Why a statement that arrives ``now`` is no answer of just now, or "" when it is one."""
    apart = abs((now - statement.said_at).total_seconds())
    if apart <= CLOCK_SECONDS:
        return ""
    return (
        f"{statement.person} said it at {statement.said_at:%Y-%m-%d %H:%M:%S} UTC, {apart:.0f} s"
        f" from the ledger's clock, limit {CLOCK_SECONDS:.0f} s"
    )


def _gathered(heard: Sequence[Statement], approving: Approving) -> Standing:
    present = {group for one in heard for group in one.speaker.groups}
    absent = [group for group in approving.groups if group not in present]
    if approving.any_of and not present & set(approving.any_of):
        absent.append(" or ".join(approving.any_of))
    missing = max(approving.quorum - len(heard), 1 if absent else 0)
    by = tuple(one.person for one in heard)
    if missing:
        return Standing("waiting", by, missing=missing, groups=tuple(absent))
    reasons = "; ".join(filter(None, (one.said.reason for one in heard)))
    begins, ends = _common(heard)
    return Standing("approved", by, reasons, begins_at=begins, ends_at=ends)


def _other(statement: Statement, bound: Bound) -> str:
    said, asked = asdict(statement.bound), asdict(bound)
    for name, value in asked.items():
        if said[name] != value:
            what = name.replace("_", " ")
            return f"{statement.person} answered for {what} {said[name]}, asked is {value}"
    return ""


def _stranger(statement: Statement) -> str:
    if not same_person(statement.said.decided_by, statement.person):
        return f"{statement.person} is signed in, {statement.said.decided_by} is named"
    if statement.speaker.via == "token":
        return f"{statement.person} answered with a token: only a person who signed in decides"
    return ""


def _stale_factor(statement: Statement, approving: Approving) -> str:
    """Saying no needs no second factor: that is always the safe answer."""
    if not approving.second_factor or statement.said.decision == "rejected":
        return ""
    person, proved = statement.person, statement.speaker.factor_at
    if proved is None:
        return f"{person} proved no second factor: {statement.bound.environment} asks for one"
    age = (statement.said_at - proved).total_seconds()
    if age < -CLOCK_SECONDS:
        return f"{person}'s second factor was proved {-age:.0f} s after the answer"
    if age > approving.fresh_seconds:
        return (
            f"{person}'s second factor was proved {age:.0f} s before,"
            f" limit {approving.fresh_seconds:.0f} s"
        )
    return ""


def _repeated(one: Statement, heard: Sequence[Statement]) -> str:
    for earlier in heard:
        if same_person(earlier.person, one.person):
            return (
                f"{one.person} {earlier.said.decision} it at {earlier.said_at:%H:%M:%S} UTC"
                " already: an answer counts once, and is not taken back"
            )
    return ""


def _apart(one: Statement, heard: Sequence[Statement]) -> str:
    begins, ends = _common([*heard, one])
    if one.said.decision == "rejected" or begins is None or ends is None or begins < ends:
        return ""
    return f"{one.person}'s window has no time in common with those approved before"


def _common(heard: Sequence[Statement]) -> tuple[datetime | None, datetime | None]:
    """The time in which all of their windows are; None where nobody has one."""
    begins = [one.said.begins_at for one in heard if one.said.begins_at]
    ends = [one.said.ends_at for one in heard if one.said.ends_at]
    return max(begins, default=None), min(ends, default=None)
