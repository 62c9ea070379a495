"""The seller's account as the marketplace keeps it: stock by SKU and orders, with their history."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Sold:
    """An order of one line; times are aware UTC."""

    order_id: str
    sku: str
    quantity: int
    price: Decimal
    currency: str
    at: datetime


@dataclass(frozen=True)
class Level:
    """Units of a SKU since a moment."""

    at: datetime
    fulfillable: int
    reserved: int


class SoldOut(Exception):
    """Nobody can buy what is not there."""


@dataclass
class Account:
    """The truth; what the API shows may lag behind it."""

    orders: list[Sold] = field(default_factory=list)
    levels: dict[str, list[Level]] = field(default_factory=dict)
    added: set[str] = field(default_factory=set)

    def set_stock(self, sku: str, quantity: int, now: datetime) -> None:
        self.levels.setdefault(sku, []).append(Level(now, quantity, 0))

    def add(self, token: str, quantities: dict[str, int], now: datetime) -> None:
        """Inbound units; the same token again adds nothing."""
        if token in self.added:
            return
        self.added.add(token)
        for sku, quantity in quantities.items():
            last = self.last(sku)
            self.levels[sku].append(Level(now, last.fulfillable + quantity, last.reserved))

    def buy(self, sku: str, quantity: int, price: Decimal, currency: str, now: datetime) -> Sold:
        """Raises SoldOut, or KeyError for a SKU that is not listed."""
        last = self.last(sku)
        if last.fulfillable < quantity:
            raise SoldOut(f"{sku}: {last.fulfillable} left, {quantity} wanted")
        level = Level(now, last.fulfillable - quantity, last.reserved + quantity)
        self.levels[sku].append(level)
        number = len(self.orders) + 1
        sold = Sold(f"111-{number:07d}-{number:07d}", sku, quantity, price, currency, now)
        self.orders.append(sold)
        return sold

    def last(self, sku: str) -> Level:
        return self.levels[sku][-1]

    def stock_at(self, moment: datetime) -> dict[str, Level]:
        """Every listed SKU as it was at ``moment``."""
        return {
            sku: next((one for one in reversed(levels) if one.at <= moment), Level(EPOCH, 0, 0))
            for sku, levels in self.levels.items()
        }
