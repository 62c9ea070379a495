"""Success against what was agreed: a safe final state, and how sure one can be of the share.

*Deployed* and *safely rolled back* are both safe, and counted apart. Not safe is a halted one, and
one because of which stock or orders still differ from a channel. A refused one changed nothing and
counts neither way.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.figures.facts import Moved
from domain.figures.proof import Share, proven, still_needed


@dataclass(frozen=True)
class Success:
    """How deployments ended; ``moving`` have not ended yet."""

    deployed: int
    restored: int
    unsafe: int
    refused: int
    moving: int

    @property
    def safe(self) -> Share:
        safe = self.deployed + self.restored
        return Share(safe, safe + self.unsafe)

    @property
    def proven_percent(self) -> float:
        """At least so many percent, with 95 % confidence."""
        return 100 * proven(self.safe.count, self.safe.of)

    def needed(self, agreed_percent: float) -> int:
        """How many more safe ends in a row would prove what was agreed."""
        return still_needed(self.safe.count, self.safe.of, agreed_percent / 100)

    def told(self, agreed_percent: float) -> str:
        """
        >>> print(Success(2, 1, 0, 5, 0).told(99.9))
        3 of 3 ended safely (2 deployed, 1 safely rolled back): ≥ 36.84 % is proven at 95 % \
confidence; 2,992 more safe ones in a row would prove the agreed 99.9 %
        """
        safe, agreed = self.safe, f"the agreed {agreed_percent:g} %"
        if safe.of == 0:
            return f"no release yet: nothing is proven of {agreed}"
        ends = f"{self.deployed:,} deployed, {self.restored:,} safely rolled back"
        said = f"{safe.count:,} of {safe.of:,} ended safely ({ends})"
        needed = self.needed(agreed_percent)
        if needed == 0:
            return f"{said}: {agreed} is proven at 95 % confidence"
        more = f"{needed:,} more safe ones in a row would prove {agreed}"
        return f"{said}: ≥ {self.proven_percent:.2f} % is proven at 95 % confidence; {more}"


def success(moved: Sequence[Moved]) -> Success:
    """In any order."""
    suspect = sum(one.suspected > 0 for one in moved if one.state in ("done", "rolled back"))
    return Success(
        deployed=sum(one.state == "done" and not one.suspected for one in moved),
        restored=sum(one.state == "rolled back" and not one.suspected for one in moved),
        unsafe=sum(one.state == "halted" for one in moved) + suspect,
        refused=sum(one.state == "refused" for one in moved),
        moving=sum(one.finished_at is None for one in moved),
    )
