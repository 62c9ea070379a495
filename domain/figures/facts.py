"""The ledger's rows of a period, as far as figures are made of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal


@dataclass(frozen=True)
class Moved:
    """One deployment. ``changes`` has the versions before and after of each service it moves.

    The version before is "" where nothing served. ``exposed_at`` is when customers could first meet
    it, None when they never did; ``suspected`` is how many SKUs and orders still differ from a
    channel because of it, as far as anybody knows.
    """

    id: int
    version: str
    environment: str
    kind: Literal["release", "rollback", "restore"]
    state: str
    hotfix: bool
    changes: Mapping[str, tuple[str, str]]
    committed_at: datetime
    created_at: datetime
    exposed_at: datetime | None
    finished_at: datetime | None
    suspected: int = 0

    @property
    def planned(self) -> bool:
        """Neither a hotfix nor a way back: nothing had gone wrong before it."""
        return self.kind == "release" and not self.hotfix

    @property
    def met_customers(self) -> bool:
        """It ended, and not before anybody could meet it."""
        return self.state in ("done", "halted") or (
            self.state == "rolled back" and self.exposed_at is not None
        )


@dataclass(frozen=True)
class Timed:
    """One step that ended, of a release (then ``environment`` is "") or of a deployment.

    ``verdict`` is what it decided, "" where it decides nothing.
    """

    scope: str
    version: str
    environment: str
    name: str
    seconds: float
    verdict: str = ""


@dataclass(frozen=True)
class Waited:
    """An approval: since when it waited, and until when; None while it still does."""

    environment: str
    decision: str
    asked_at: datetime
    decided_at: datetime | None


@dataclass(frozen=True)
class Kept:
    """Bytes that a release left in storage, and whether they go to hosts by a registry.

    An artifact that an earlier release had left already is none of its.
    """

    version: str
    what: Literal["artifact", "backup"]
    size: int
    at: datetime
    registry: bool = False


@dataclass(frozen=True)
class History:
    """Everything of one period, deployments oldest first.

    ``checks`` counts by environment, check and result. ``whole`` is false where the period has more
    deployments than are read at once: then these are the newest.
    """

    since: datetime
    until: datetime
    moved: tuple[Moved, ...] = ()
    steps: tuple[Timed, ...] = ()
    waited: tuple[Waited, ...] = ()
    kept: tuple[Kept, ...] = ()
    checks: Mapping[tuple[str, str, str], int] = field(default_factory=dict)
    whole: bool = True
