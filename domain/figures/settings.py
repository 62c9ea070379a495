"""What ``shop.yaml`` says of figures: what was agreed, prices, and when the week is reported."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated
from zoneinfo import available_timezones

from domain.fields import STRICT, Range

Price = Annotated[float, Range(0, 1_000_000)]
_CURRENCY = re.compile(r"[A-Z]{3}")
CRON_FIELDS = 5


@dataclass(frozen=True)
class Prices:
    """Of a minute of an executor, of a GB kept for a month, of a GB to or from a registry."""

    __pydantic_config__ = STRICT
    currency: str = "EUR"
    compute_minute: Price = 0
    storage_gb_month: Price = 0
    registry_gb: Price = 0

    @property
    def named(self) -> bool:
        """Whether there is any: without one nothing is said of money."""
        return any((self.compute_minute, self.storage_gb_month, self.registry_gb))


@dataclass(frozen=True)
class Figures:
    """``success_percent`` was agreed; figures look ``period_days`` back.

    The weekly report comes at ``cron`` in ``time_zone``, whose days the figures count, too; "" is
    the calendar's zone, and UTC where there is none.
    """

    __pydantic_config__ = STRICT
    success_percent: Annotated[float, Range(50, 99.9999)] = 99.9
    period_days: Annotated[int, Range(1, 366)] = 30
    cron: str = "0 7 * * 1"
    time_zone: str = ""
    prices: Prices = field(default_factory=Prices)


def objections(figures: Figures) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each with the place it speaks of: field, value, limit."""
    if len(figures.cron.split()) != CRON_FIELDS:
        yield ("figures", "cron"), f"figures.cron is {figures.cron!r}: five fields are needed"
    if figures.time_zone and figures.time_zone not in available_timezones():
        said = f"figures.time_zone is {figures.time_zone!r}: no IANA time zone"
        yield ("figures", "time_zone"), said
    currency = figures.prices.currency
    if not _CURRENCY.fullmatch(currency):
        said = f"figures.prices.currency is {currency!r}: three capital letters are needed, as EUR"
        yield ("figures", "prices", "currency"), said
