"""A statement: what one signed-in person says to one approval, in a form that can be signed."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from domain.access.people import Via
from domain.digest import canonical
from domain.journal import Approval, Decision

KIND = "tradewind statement 1"

Proves = Callable[[str, str], bool]
"""Whether a signature over a text is by this shop's key."""


@dataclass(frozen=True)
class Bound:
    """What a statement is about: it counts for this, and for nothing else."""

    approval: int
    deployment: int
    version: str
    environment: str
    plan_digest: str
    manifest_digest: str
    migration_digest: str
    expires_at: datetime


@dataclass(frozen=True)
class Question:
    """An approval with what the ledger knows of it; ``migration_digest`` is empty without one."""

    approval: Approval
    version: str
    environment: str
    manifest_digest: str
    migration_digest: str = ""

    @property
    def bound(self) -> Bound:
        approval = self.approval
        return Bound(
            approval.id, approval.deployment, self.version, self.environment, approval.plan_digest,
            self.manifest_digest, self.migration_digest, approval.expires_at,
        )  # fmt: skip


@dataclass(frozen=True)
class Speaker:
    """Who speaks, as signed in: the login name, and the groups at that time."""

    person: str
    groups: tuple[str, ...]
    via: Via
    factor_at: datetime | None = None


@dataclass(frozen=True)
class Statement:
    """One person's answer; ``nonce`` makes each one different, so that it is used once."""

    bound: Bound
    speaker: Speaker
    said: Decision
    said_at: datetime
    nonce: str

    @property
    def person(self) -> str:
        return self.speaker.person

    @property
    def text(self) -> str:
        """The canonical form, which is what gets signed."""
        return canonical({"kind": KIND, **asdict(self)})


@dataclass(frozen=True)
class SignedStatement:
    """A statement as it is kept: the very text that was signed, and the signature."""

    text: str
    signature: str

    @cached_property
    def statement(self) -> Statement:
        """ValueError when the text is no statement's canonical form."""
        found = read(self.text)
        if found.text != self.text:
            raise ValueError("not a statement's canonical form")
        return found


def read(text: str) -> Statement:
    """A statement from its canonical form; ValueError when it is none."""
    try:
        told = json.loads(text)
        if told["kind"] != KIND:
            raise ValueError(f"kind is {told['kind']!r}, known is {KIND!r}")
        return Statement(
            Bound(**_timed(told["bound"], "expires_at")),
            _speaker(told["speaker"]),
            Decision(**_timed(told["said"], "begins_at", "ends_at")),
            datetime.fromisoformat(told["said_at"]),
            told["nonce"],
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a statement: {error}") from error


def _speaker(told: dict[str, Any]) -> Speaker:
    timed = _timed(told, "factor_at")
    return Speaker(**{**timed, "groups": tuple(told["groups"])})


def _timed(told: dict[str, Any], *names: str) -> dict[str, Any]:
    times = {name: told[name] and datetime.fromisoformat(told[name]) for name in names}
    return {**told, **times}
