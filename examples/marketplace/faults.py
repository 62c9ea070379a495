"""What can go wrong with a marketplace, switched on by name."""

from dataclasses import dataclass, field


@dataclass
class Faults:
    """Counts go down with each call they spoil; everything else stays until it is cleared.

    ``version`` is the API version that answers instead of the one asked for, ``money_factor``
    multiplies every amount (100: a currency's digits mistaken), ``skew_seconds`` is by how much the
    marketplace's clock is ahead, ``lost_events`` how many events it says it could not deliver.
    """

    refuse_429: int = 0
    fail_5xx: int = 0
    expire_tokens: int = 0
    drop_order: list[str] = field(default_factory=list)
    duplicate_order: list[str] = field(default_factory=list)
    drop_sku: list[str] = field(default_factory=list)
    lag_seconds: float = 0
    page_gap: bool = False
    repeat_page: bool = False
    version: str = ""
    money_factor: int = 1
    skew_seconds: float = 0
    lost_events: int = 0

    def spoil(self) -> int:
        """The status that spoils this call (401 for a token that expired early), or 0."""
        for name, status in (("refuse_429", 429), ("fail_5xx", 503), ("expire_tokens", 401)):
            left = getattr(self, name)
            if left > 0:
                setattr(self, name, left - 1)
                return status
        return 0
