"""What an event starts: the first rule of ``shop.yaml`` that fits it, or nothing, and why."""

import re
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Literal

from domain.forge.events import Event, Ignored
from domain.forge.settings import Forge, Rule

_SHORT = re.compile(r"[0-9a-f]{7,64}")
MOST_REASON = 300


@dataclass(frozen=True)
class Change:
    """A pull or merge request as the forge tells it now; ``own`` is False for one of a fork."""

    number: int
    head: str
    target: str
    open: bool
    own: bool


@dataclass(frozen=True)
class Wish:
    """What is started: always of a full commit, never of a name that may move meanwhile."""

    starts: Literal["release", "test"]
    commit: str
    until: str
    reason: str
    requested_by: str


def addressed(forge: Forge, event: Event) -> bool:
    """Whether a comment says what some rule waits for: only then the forge is asked about it."""
    return any(_said(rule, event) for rule in forge.rules) and not _deaf(forge, event)


def confirmed(event: Event, change: Change, may_write: bool) -> Event | Ignored:
    """The comment's event with the head that the forge told; Ignored when it does not count."""
    if not may_write:
        return Ignored(f"{event.actor} may not write to {event.project}")
    if not change.open or not change.own:
        state = "is closed" if change.own else "comes from a fork"
        return Ignored(f"change {change.number} {state}")
    if event.before not in ("", change.head):
        return Ignored(f"the head of change {change.number} has moved since the comment")
    return replace(event, ref=change.target, commit=change.head)


def decide(forge: Forge, event: Event) -> Wish | Ignored:
    """By the first rule that fits; what is deleted, and who is not to be heard, starts nothing."""
    if event.deleted:
        return Ignored(f"{event.ref!r} was deleted")
    if _deaf(forge, event):
        return Ignored(f"{event.actor} is not listened to")
    for rule in forge.rules:
        if (
            rule.event == event.kind
            and fnmatchcase(event.ref, rule.branches)
            and _fits(rule, event)
        ):
            return _wish(forge, rule, event)
    return Ignored(f"no rule for a {event.kind} to {event.ref[:100]!r}")


def _wish(forge: Forge, rule: Rule, event: Event) -> Wish | Ignored:
    if rule.starts == "nothing":
        return Ignored(f"the rule for a {event.kind} to {rule.branches} starts nothing")
    name = forge.name_of(event.actor)
    return Wish(rule.starts, event.commit, rule.until, _reason(forge, event), name)


def _deaf(forge: Forge, event: Event) -> bool:
    """A program's own comment never starts anything; what it pushes or merges may."""
    ignored = {login.casefold() for login in forge.ignored}
    told_by_program = event.kind == "comment" and event.automatic
    return told_by_program or event.actor.casefold() in ignored


def _fits(rule: Rule, event: Event) -> bool:
    return event.kind != "comment" or _said(rule, event)


def _said(rule: Rule, event: Event) -> bool:
    """The first line is the command, perhaps with the commit that is meant: it must be the head."""
    if rule.event != "comment" or event.kind != "comment" or not _may_say(rule, event.actor):
        return False
    lines = event.text.strip().splitlines()
    words, command = lines[0].split() if lines else [], rule.command.split()
    more = words[len(command) :]
    if not command or words[: len(command)] != command or len(more) > 1:
        return False
    return not more or _meant(more[0], event.commit)


def _meant(word: str, head: str) -> bool:
    """Before the forge has told the head, any commit may be meant."""
    return bool(_SHORT.fullmatch(word)) and (not head or head.startswith(word))


def _may_say(rule: Rule, login: str) -> bool:
    return not rule.people or login.casefold() in {one.casefold() for one in rule.people}


def _reason(forge: Forge, event: Event) -> str:
    """A sentence for the release's own record.

    >>> made = Event("push", "ann/shop", "ann", "d", ref="main", forced=True)
    >>> _reason(Forge("gitea", "https://forge", "ann/shop", ""), made)
    'gitea: push to main by ann, forced (delivery d)'
    """
    where = f"to {event.ref}" + (f" of change {event.number}" if event.number else "")
    forced = ", forced" if event.forced else ""
    said = f"{forge.kind}: {event.kind} {where} by {event.actor}{forced}"
    return f"{said[:MOST_REASON]} (delivery {event.delivery})"
