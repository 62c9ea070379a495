"""What a release took, and what that costs by the prices in ``shop.yaml``."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from domain.figures.facts import History, Kept, Moved
from domain.figures.settings import Prices
from domain.version import parse

GB = 1e9
MONTH_SECONDS = 30 * 86_400
TOUCHED = ("done", "rolled back", "halted")


@dataclass(frozen=True)
class Cost:
    """Of one release: what it took, and its price; ``total`` is None where there are no prices."""

    version: str
    compute_minutes: float
    storage_gb_months: float
    registry_gb: float
    total: float | None
    currency: str

    def __str__(self) -> str:
        """
        >>> str(Cost("1", 1, 0, 0, 0.0421, "EUR")), str(Cost("1", 1, 0, 0, None, "EUR"))
        ('0.0421 EUR', 'no prices')
        """
        if self.total is None:
            return "no prices"
        digits = 2 if self.total >= 1 else 4
        return f"{self.total:,.{digits}f} {self.currency}"


def costs(history: History, prices: Prices, hosts: Mapping[str, int]) -> tuple[Cost, ...]:
    """Of every release that did anything in the period, the newest first.

    ``hosts`` is how many an environment has. Kept bytes count until the period's end.
    """
    minutes: dict[str, float] = defaultdict(float)
    for step in history.steps:
        minutes[step.version] += step.seconds / 60
    kept: dict[str, list[Kept]] = defaultdict(list)
    for one in history.kept:
        kept[one.version].append(one)
    pulls = _pulls(history.moved, hosts)
    found = (
        _priced(
            prices, version, minutes[version],
            _gb_months(kept[version], history.until), _registry_gb(kept[version], pulls[version]),
        )
        for version in sorted({*minutes, *kept}, key=parse, reverse=True)
    )  # fmt: skip
    return tuple(found)


def _priced(
    prices: Prices, version: str, minutes: float, gb_months: float, registry_gb: float
) -> Cost:
    total = (
        prices.compute_minute * minutes
        + prices.storage_gb_month * gb_months
        + prices.registry_gb * registry_gb
    )
    shown = total if prices.named else None
    return Cost(version, minutes, gb_months, registry_gb, shown, prices.currency)


def _gb_months(kept: Iterable[Kept], until: datetime) -> float:
    """
    >>> from datetime import timedelta
    >>> end = datetime(2026, 11, 30)
    >>> _gb_months([Kept("1", "backup", 2_000_000_000, end - timedelta(days=15))], end)
    1.0
    """
    seconds = ((one.size, (until - one.at).total_seconds()) for one in kept)
    return sum(size / GB * max(0.0, long) / MONTH_SECONDS for size, long in seconds)


def _registry_gb(kept: Iterable[Kept], pulls: int) -> float:
    """Pushed once, pulled by every host that got it."""
    return sum(one.size / GB * (1 + pulls) for one in kept if one.registry)


def _pulls(moved: Iterable[Moved], hosts: Mapping[str, int]) -> dict[str, int]:
    found: dict[str, int] = defaultdict(int)
    for one in moved:
        if one.kind == "release" and one.state in TOUCHED:
            found[one.version] += hosts.get(one.environment, 0)
    return found
