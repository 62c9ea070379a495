"""What one marketplace account shows: stock, orders, and how far an answer can be trusted."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

Progress = Literal["pending", "open", "shipped", "cancelled"]
"""What an order is to the seller: *pending* may not be imported yet (payment is not certain)."""


@dataclass(frozen=True)
class Line:
    """One SKU of an order and how many units of it were bought."""

    sku: str
    quantity: int


@dataclass(frozen=True)
class Order:
    """An order as the marketplace tells it; times are aware UTC, ``total`` is in ``currency``.

    ``total`` is None (and ``currency`` empty) while the marketplace has not said the price yet.
    ``status`` is the marketplace's own word, in its own spelling, ``progress`` what it means.
    """

    order_id: str
    created_at: datetime
    updated_at: datetime
    status: str
    currency: str
    total: Decimal | None
    lines: tuple[Line, ...]
    progress: Progress = "open"


@dataclass(frozen=True)
class StockRow:
    """One SKU's units: ``quantity`` can be bought now, ``reserved`` belongs to pending orders.

    ``active`` is False for a listing that is not for sale, whatever its quantity.
    """

    sku: str
    quantity: int
    reserved: int
    updated_at: datetime | None
    active: bool = True


@dataclass(frozen=True)
class Fetch:
    """How an answer was read: only a complete one may be judged (check PAG-01).

    ``began_at`` and ``ended_at`` are our own clock's; ``rows`` came in ``pages``, of ``calls`` sent
    ``refused`` were answered with a rate limit. ``reported`` is how many rows the channel says
    there are (None where it does not say), ``reason`` why it is incomplete ("" when it is whole).
    ``version`` is the API's as answered ("" where it does not say), ``pinned`` the one asked for;
    ``skew_seconds`` is by how much the channel's clock is ahead of ours (None where it is silent).
    ``lost_events`` are those that the channel says it could not deliver.
    """

    began_at: datetime
    ended_at: datetime
    rows: int
    pages: int
    calls: int
    refused: int
    reported: int | None = None
    reason: str = ""
    version: str = ""
    pinned: str = ""
    skew_seconds: float | None = None
    lost_events: int = 0

    @property
    def complete(self) -> bool:
        return not self.reason


@dataclass(frozen=True)
class Quota:
    """What may still be asked: ``remaining`` of ``limit`` ``unit`` in ``window_seconds``."""

    limit: float
    remaining: float
    window_seconds: float
    unit: Literal["calls", "points"] = "calls"


@dataclass(frozen=True)
class Rate:
    """Calls (or points) per second in the long run, and how many at once."""

    per_second: float
    burst: float


@dataclass(frozen=True)
class Pace:
    """How many ``skus`` one call for all stock brings, and how often it may be made."""

    rate: Rate
    skus: int


@dataclass(frozen=True)
class Pushed:
    """What a channel took of the levels it was sent, and per SKU why it did not take the rest."""

    taken: Mapping[str, int]
    refused: Mapping[str, str]
