"""The seller's account as the marketplace keeps it: stock by SKU and orders, with their history."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
State = Literal["pending", "open", "shipped", "cancelled"]


@dataclass(frozen=True)
class SoldLine:
    """Units of one SKU at their price each."""

    sku: str
    quantity: int
    price: Decimal


@dataclass(frozen=True)
class Sold:
    """An order as it is since ``updated_at``; times are aware UTC."""

    order_id: str
    lines: tuple[SoldLine, ...]
    currency: str
    at: datetime
    updated_at: datetime
    state: State = "open"

    @property
    def total(self) -> Decimal:
        return sum((line.price * line.quantity for line in self.lines), Decimal(0))


@dataclass(frozen=True)
class Level:
    """Units of a SKU since a moment; one that is not ``active`` is not for sale."""

    at: datetime
    fulfillable: int
    reserved: int
    active: bool = True


class SoldOut(Exception):
    """Nobody can buy what is not there."""


@dataclass
class Account:
    """The truth; what the API shows may lag behind it.

    ``numbered`` makes the marketplace's own order id of a running number.
    """

    numbered: Callable[[int], str] = "111-{0:07d}-{0:07d}".format
    orders: dict[str, list[Sold]] = field(default_factory=dict)
    levels: dict[str, list[Level]] = field(default_factory=dict)
    added: set[str] = field(default_factory=set)

    def set_stock(self, sku: str, quantity: int, now: datetime) -> None:
        """Also lists a SKU that was not there; what is reserved stays so."""
        known = self.levels.setdefault(sku, [])
        reserved = known[-1].reserved if known else 0
        active = known[-1].active if known else True
        known.append(Level(now, quantity, reserved, active))

    def remove(self, sku: str) -> None:
        """The listing is gone, with its history."""
        del self.levels[sku]

    def activate(self, sku: str, active: bool, now: datetime) -> None:
        self.levels[sku].append(replace(self.last(sku), at=now, active=active))

    def add(self, token: str, quantities: Mapping[str, int], now: datetime) -> None:
        """Inbound units; the same token again adds nothing."""
        if token in self.added:
            return
        self.added.add(token)
        for sku, quantity in quantities.items():
            last = self.last(sku)
            self.levels[sku].append(replace(last, at=now, fulfillable=last.fulfillable + quantity))

    def buy(self, lines: tuple[SoldLine, ...], currency: str, now: datetime,
            state: State = "open") -> Sold:  # fmt: skip
        """Raises SoldOut, or KeyError for a SKU that is not listed; all lines or none."""
        for line in lines:
            left = self.last(line.sku).fulfillable
            if left < line.quantity:
                raise SoldOut(f"{line.sku}: {left} left, {line.quantity} wanted")
        for line in lines:
            self._reserve(line.sku, line.quantity, now)
        sold = Sold(self.numbered(len(self.orders) + 1), lines, currency, now, now, state)
        self.orders[sold.order_id] = [sold]
        return sold

    def become(self, order_id: str, state: State, now: datetime) -> Sold:
        """Shipped, cancelled or paid; units of a cancelled order are for sale again."""
        last = self.orders[order_id][-1]
        for line in last.lines if state in ("cancelled", "shipped") else ():
            back = line.quantity if state == "cancelled" else 0
            level = self.last(line.sku)
            self.levels[line.sku].append(replace(
                level, at=now, fulfillable=level.fulfillable + back,
                reserved=level.reserved - line.quantity,
            ))  # fmt: skip
        changed = replace(last, state=state, updated_at=now)
        self.orders[order_id].append(changed)
        return changed

    def last(self, sku: str) -> Level:
        return self.levels[sku][-1]

    def stock_at(self, moment: datetime) -> dict[str, Level]:
        """Every listed SKU as it was at ``moment``."""
        return {
            sku: next((one for one in reversed(levels) if one.at <= moment), Level(EPOCH, 0, 0))
            for sku, levels in self.levels.items()
        }

    def orders_at(self, moment: datetime) -> list[Sold]:
        """Every order that was there at ``moment``, as it was then."""
        seen = (
            next((one for one in reversed(known) if one.updated_at <= moment), None)
            for known in self.orders.values()
        )
        return [one for one in seen if one is not None]

    def _reserve(self, sku: str, quantity: int, now: datetime) -> None:
        last = self.last(sku)
        self.levels[sku].append(replace(
            last, at=now, fulfillable=last.fulfillable - quantity,
            reserved=last.reserved + quantity,
        ))  # fmt: skip
