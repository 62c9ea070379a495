"""What a forge is told of a release: a status on its commit, and a deployment's."""

from dataclasses import dataclass
from typing import Literal

State = Literal["pending", "success", "failure"]
MOST_CHARACTERS = 140
"""GitHub takes no longer description."""


@dataclass(frozen=True)
class Status:
    """How far ``version`` (made of ``commit``, asked for as ``ref``) is in ``environment``.

    ``url`` is where people follow it, "" where there is no such page.
    """

    version: str
    commit: str
    ref: str
    environment: str
    state: State
    says: str
    url: str = ""

    @property
    def context(self) -> str:
        """The name of the check: one for each environment."""
        return f"tradewind/{self.environment}"

    @property
    def description(self) -> str:
        said = f"{self.version}: {self.says}"
        return said if len(said) <= MOST_CHARACTERS else said[: MOST_CHARACTERS - 1] + "…"


def state_of(deployment: str) -> State:
    """What a deployment's state is to a forge.

    >>> [state_of(state) for state in ("canary", "done", "rolling back", "rolled back", "refused")]
    ['pending', 'success', 'pending', 'failure', 'failure']
    """
    if deployment == "done":
        return "success"
    return "failure" if deployment in ("rolled back", "halted", "refused") else "pending"
