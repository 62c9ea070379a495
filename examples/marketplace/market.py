"""What every marketplace has in common: one seller's account, its clock, tokens, rates, faults."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Protocol, TypeVar

from starlette.routing import Route

from examples.marketplace.account import Account, Level, Sold
from examples.marketplace.faults import Faults
from examples.marketplace.rates import Bucket

Row = TypeVar("Row")


class Api(Protocol):
    """One marketplace's official operations over a market."""

    market: "Market"

    def routes(self) -> list[Route]: ...


@dataclass
class Market:
    """``pace`` multiplies every official rate and divides every official delay (1 keeps them)."""

    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    pace: float = 1
    account: Account = field(default_factory=Account)
    faults: Faults = field(default_factory=Faults)
    token_seconds: float = 3600
    tokens: dict[str, datetime] = field(default_factory=dict)
    buckets: dict[str, Bucket] = field(default_factory=dict)

    def now(self) -> datetime:
        """By the marketplace's own clock, which may be wrong."""
        return self.clock() + timedelta(seconds=self.faults.skew_seconds)

    def issued(self, prefix: str) -> str:
        """A fresh access token."""
        token = f"{prefix}{len(self.tokens) + 1}"
        self.tokens[token] = self.clock() + timedelta(seconds=self.token_seconds)
        return token

    def knows(self, token: str) -> bool:
        return self.tokens.get(token, self.clock()) > self.clock()

    def admitted(self, operation: str, rate: float, burst: int, cost: float = 1) -> bool:
        """False when the operation was called more often than ``rate`` a second allows."""
        made = Bucket(rate * self.pace, round(burst * self.pace))
        bucket = self.buckets.setdefault(operation, made)
        return bucket.take(self.clock().timestamp(), cost)

    def levels(self) -> dict[str, Level]:
        """Stock as the API shows it."""
        shown = self.account.stock_at(self._seen_until())
        return {sku: shown[sku] for sku in sorted(shown) if sku not in self.faults.drop_sku}

    def orders(self, since: datetime, until: datetime) -> list[Sold]:
        """Changed in [since, until) as the API shows them, in the order of their change."""
        seen = self.account.orders_at(min(until, self._seen_until()))
        found = sorted(
            (one for one in seen if since <= one.updated_at < until),
            key=lambda one: (one.updated_at, one.order_id),
        )
        return [
            sold
            for sold in found
            if sold.order_id not in self.faults.drop_order
            for _ in range(2 if sold.order_id in self.faults.duplicate_order else 1)
        ]

    def page(self, rows: Sequence[Row], offset: int, size: int) -> tuple[Sequence[Row], int | None]:
        """The rows from ``offset``, and where the next page begins (None after the last)."""
        begin = max(0, offset - size) if self.faults.repeat_page else offset
        following = offset + size + self.faults.page_gap
        return rows[begin : begin + size], following if offset + size < len(rows) else None

    def amount(self, money: Decimal) -> str:
        """As text, as every marketplace sends it."""
        return str(money * self.faults.money_factor)

    def _seen_until(self) -> datetime:
        return self.clock() - timedelta(seconds=self.faults.lag_seconds)
