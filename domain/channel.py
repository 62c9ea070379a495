"""What one marketplace account shows: stock, orders, and how far a snapshot can be trusted."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True)
class Line:
    """One SKU of an order and how many units of it were bought."""

    sku: str
    quantity: int


@dataclass(frozen=True)
class Order:
    """An order as the marketplace tells it; times are aware UTC, ``total`` is in ``currency``.

    ``total`` is None (and ``currency`` empty) while the marketplace has not said the price yet.
    ``status`` is the marketplace's own word, in its own spelling.
    """

    order_id: str
    created_at: datetime
    updated_at: datetime
    status: str
    currency: str
    total: Decimal | None
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class StockRow:
    """One SKU's units: ``quantity`` can be bought now, ``reserved`` belongs to pending orders."""

    sku: str
    quantity: int
    reserved: int
    updated_at: datetime | None


@dataclass(frozen=True)
class Fetch:
    """How a snapshot was read (check PAG-01): only a complete one may be judged.

    ``pages`` answered, ``refused`` answers of 429, ``repeated`` rows whose key was seen before;
    ``reason`` says why it is incomplete and is empty otherwise.
    """

    taken_at: datetime
    complete: bool
    pages: int
    refused: int
    repeated: int
    reason: str


@dataclass(frozen=True)
class StockSnapshot:
    """Every SKU of the account, one row each, as far as ``fetch`` says."""

    rows: tuple[StockRow, ...]
    fetch: Fetch


@dataclass(frozen=True)
class OrderSnapshot:
    """Orders changed at or after ``since`` and before ``watermark``, as far as ``fetch`` says.

    ``watermark`` is where the next read may begin; on an incomplete read it equals ``since``.
    """

    orders: tuple[Order, ...]
    since: datetime
    watermark: datetime
    fetch: Fetch


@dataclass(frozen=True)
class Quota:
    """Calls allowed: ``limit_per_second`` in the long run, ``remaining`` of ``burst`` at once."""

    limit_per_second: float
    burst: int
    remaining: float
