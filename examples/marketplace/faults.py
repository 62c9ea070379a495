"""What can go wrong with a marketplace, switched on by name."""

from dataclasses import dataclass, field


@dataclass
class Faults:
    """Counts go down with each call they spoil; order ids stay until cleared; lag in seconds."""

    refuse_429: int = 0
    fail_5xx: int = 0
    drop_order: list[str] = field(default_factory=list)
    duplicate_order: list[str] = field(default_factory=list)
    lag_seconds: float = 0
    page_gap: bool = False

    def spoil(self) -> int:
        """The status that spoils this call, or 0."""
        if self.refuse_429 > 0:
            self.refuse_429 -= 1
            return 429
        if self.fail_5xx > 0:
            self.fail_5xx -= 1
            return 503
        return 0
