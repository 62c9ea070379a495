"""What one look is about: which environment, why, how strict, and what it may ask."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from domain.channel import Quota
from domain.checks.settings import Checks

Purpose = Literal["baseline", "first", "again", "hourly"]


@dataclass(frozen=True)
class Scope:
    """``settle_seconds`` is how long an honest difference may last now (w).

    ``opening`` is the number of the look whose stock changes are counted from. ``asked`` names SKUs
    per channel where only those were asked for; then our stock is compared for those alone. A
    channel without a ``zones`` entry (IANA) has its days in UTC.
    """

    environment: str
    purpose: Purpose
    checks: Checks
    settle_seconds: float
    deployment: int | None = None
    opening: int | None = None
    asked: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    quotas: Mapping[str, Quota] = field(default_factory=dict)
    zones: Mapping[str, str] = field(default_factory=dict)

    @property
    def import_seconds(self) -> float:
        """An order that is honestly late is not yet missing."""
        return max(self.settle_seconds, self.checks.import_seconds)
