"""What ``shop.yaml`` says of notices: which chats are told of what, in which language."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from domain.fields import STRICT, Seconds

Event = Literal[
    "started",
    "waiting",
    "done",
    "restored",
    "refused",
    "halted",
    "failed",
    "nightly",
    "stopped",
    "contract",
    "hotfix",
    "weekly",
]
EVENTS: tuple[Event, ...] = get_args(Event)
Language = Literal["en", "zh"]
MOST_ADDRESS = 200
_REFERENCE = re.compile(r"\$\{(env|file|sops|vault):[^}]+\}")
_PUBLIC = re.compile(r"https?://[^\s@?#]+")


@dataclass(frozen=True)
class Target:
    """One chat, mailbox or webhook; ``url`` refers to a secret: an address in apprise's words.

    Without ``environments`` it is told of all of them.
    """

    __pydantic_config__ = STRICT
    url: str
    language: Language = "en"
    events: tuple[Event, ...] = EVENTS
    environments: tuple[str, ...] = ()

    def wants(self, event: Event, environment: str) -> bool:
        """What concerns no environment concerns everybody."""
        here = not environment or not self.environments or environment in self.environments
        return event in self.events and here


@dataclass(frozen=True)
class Notify:
    """Whom to tell, how soon again while nobody answers, and where people reach Prefect's pages."""

    __pydantic_config__ = STRICT
    targets: Mapping[str, Target] = field(default_factory=dict)
    remind_seconds: Seconds = 1800
    public_url: str = ""


def objections(
    notify: Notify, environments: Collection[str]
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each with the place it speaks of; an address that stands there in clear is never repeated."""
    for name, target in notify.targets.items():
        where = ("notify", "targets", name)
        if not _REFERENCE.fullmatch(target.url):
            said = "is no reference: the address is a secret, as in ${file:secrets/chat}"
            yield (*where, "url"), f"{'.'.join(where)}.url {said}"
        for environment in target.environments:
            if environment not in environments:
                known = ", ".join(environments)
                said = f"{'.'.join(where)}.environments has {environment!r}, known are {known}"
                yield (*where, "environments"), said
    if notify.public_url and not _public(notify.public_url):
        said = f"an http(s) address of at most {MOST_ADDRESS} characters without a name or query"
        yield ("notify", "public_url"), f"notify.public_url is not {said}"


def _public(address: str) -> bool:
    return len(address) <= MOST_ADDRESS and bool(_PUBLIC.fullmatch(address))
