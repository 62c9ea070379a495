"""What the ledger has of a release that ended badly, as values, and which stage that was."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Stage = Literal[
    "cut", "test", "build", "prepare", "migrate", "start", "canary", "hand over", "check",
    "conclude", "restore",
]  # fmt: skip
Orders = Literal["kept", "differ", "not checked"]

STAGES: tuple[tuple[str, Stage], ...] = (
    ("test ", "test"),
    ("build ", "build"),
    ("plan migration", "prepare"),
    ("back up", "prepare"),
    ("prove the backup", "prepare"),
    ("prepare hosts", "prepare"),
    ("strictness", "prepare"),
    ("migrate", "migrate"),
    ("baseline of the channels", "check"),
    ("check stock and orders", "check"),
    ("start ", "start"),
    ("baseline of ", "canary"),
    ("route ", "canary"),
    ("watch ", "canary"),
    ("hand over ", "hand over"),
    ("retire older", "conclude"),
    ("serving", "conclude"),
    ("restore", "restore"),
)
"""By what a step's name begins with; the first that fits counts."""


@dataclass(frozen=True)
class Broken:
    """The step that stopped it, "" where there was none: what it said, and the output it left.

    ``where`` is an environment, or "release" for what happens before the first one.
    """

    where: str
    step: str
    said: str
    output: tuple[str, ...] = ()

    @property
    def stage(self) -> Stage:
        """
        >>> Broken("production", "watch storefront 50", "").stage, Broken("release", "", "").stage
        ('canary', 'cut')
        """
        found = next((stage for begin, stage in STAGES if self.step.startswith(begin)), None)
        return found or ("cut" if self.where == "release" else "prepare")

    @property
    def service(self) -> str:
        """The service that the step is about, "" for those about none."""
        words = self.step.split()
        about_one = self.stage in ("test", "build", "start", "canary", "hand over")
        if not about_one or len(words) < 2:
            return ""
        return words[2] if words[0] in ("hand", "baseline") and len(words) > 2 else words[1]


@dataclass(frozen=True)
class Place:
    """Where it stopped, and what serves there: versions by service, ``before`` it and ``now``.

    ``restored`` names the steps back that were done; ``lost`` those that were not.
    """

    environment: str
    state: str
    before: Mapping[str, str]
    now: Mapping[str, str]
    restored: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    orders: Orders = "not checked"

    @property
    def touched(self) -> bool:
        return self.state in ("rolling back", "rolled back", "halted")


@dataclass(frozen=True)
class Trouble:
    """A release that ended badly, or whose promotion did.

    ``decision`` says who said no to it, and why; "" where nobody did. ``replayed_in`` is the
    environment where a stage can be tried again, "" where there is none.
    """

    version: str
    state: str
    outcome: str
    ref: str
    broken: Broken
    place: Place | None = None
    decision: str = ""
    quarantined: bool = False
    replayed_in: str = ""
