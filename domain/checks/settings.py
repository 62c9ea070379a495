"""What shop.yaml says about the checks: windows, tolerances, limits, and the shop's own queries."""

from dataclasses import dataclass
from typing import Annotated, Literal

from domain.fields import STRICT, Range, Seconds, Share

QUERIES = {
    "stock": ("sku text", "quantity bigint", "changed_at timestamptz"),
    "orders": ("order_id text", "currency text", "total numeric", "placed_at timestamptz",
               "imported_at timestamptz"),
    "lines": ("order_id text", "sku text", "quantity bigint"),
    "movements": ("sku text", "delta bigint", "reason text", "at timestamptz"),
    "pushes": ("sku text", "quantity bigint", "pushed_at timestamptz"),
    "events": ("order_id text", "received_at timestamptz"),
}  # fmt: skip
"""The columns that each query has to answer; ``pushes`` and ``events`` need not be declared."""

OPTIONAL = {
    "stock": ("pool text", "pool_quantity bigint", "buffer bigint", "allocation bigint",
              "active boolean"),
    "orders": ("status text", "cancelled boolean", "shipped_at timestamptz",
               "idempotency_key text"),
    "pushes": ("version text",),
}  # fmt: skip
"""Columns that a query may answer besides; NULL where it does not."""


@dataclass(frozen=True)
class Checks:
    """Stock and orders after a deployment: windows in seconds, tolerances in units or shares.

    The settle window is ``settle_seconds``, or three times the usual lag where that is longer.
    After a deployment there are ``windows`` looks, a settle window apart. ``restores`` is the least
    severity that takes a release back. ``drift_share`` of a channel's SKUs may drift before INV-01
    fails, except one of the ``top_skus`` that sell most. Above ``sql_above_rows`` violations plain
    SQL judges instead of Great Expectations.
    """

    __pydantic_config__ = STRICT
    settle_seconds: Seconds = 900
    timeout_seconds: Seconds = 1800
    baseline_windows: Annotated[int, Range(3, 96)] = 3
    windows: Annotated[int, Range(2, 96)] = 3
    history_seconds: Seconds = 3600
    restores: Literal["critical", "high"] = "critical"
    stock_tolerance_units: Annotated[int, Range(0, 100_000)] = 0
    stock_tolerance_share: Share = 0
    floor: Annotated[int, Range(0, 100_000)] = 0
    drift_share: Share = 0.005
    top_skus: Annotated[int, Range(0, 10_000)] = 100
    import_seconds: Seconds = 900
    push_seconds: Seconds = 900
    ship_seconds: Seconds = 7200
    lag_seconds: Seconds = 900
    confidence_percent: Annotated[float, Range(50, 99.999)] = 95
    sql_above_rows: Annotated[int, Range(0, 100_000_000)] = 100_000
    stock: str = ""
    orders: str = ""
    lines: str = ""
    movements: str = ""
    pushes: str = ""
    events: str = ""

    @property
    def declared(self) -> dict[str, str]:
        """The queries that are there, by name."""
        return {name: query for name in QUERIES if (query := getattr(self, name).strip())}
