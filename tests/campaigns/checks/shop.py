"""The shop's own books, and its programs that keep them in step with the channels."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from random import Random

from examples.marketplace.account import Account, Sold

REFILL = 40
LOW = 8


@dataclass
class Stock:
    """One SKU of one channel; ``buffer`` units are kept back, ``refilled`` when it runs low."""

    quantity: int
    changed_at: datetime
    buffer: int = 0
    refilled: bool = True

    @property
    def for_sale(self) -> int:
        return max(0, self.quantity - self.buffer)


@dataclass
class Booked:
    """A row of our orders."""

    id: int
    channel: str
    order_id: str
    currency: str
    total: Decimal
    placed_at: datetime
    imported_at: datetime
    key: str
    status: str = "open"
    shipped_at: datetime | None = None


@dataclass
class Shop:
    """What will lie in the shop's tables; ``lines`` are by the number of their order."""

    stock: dict[tuple[str, str], Stock] = field(default_factory=dict)
    pools: dict[str, int] = field(default_factory=dict)
    orders: list[Booked] = field(default_factory=list)
    lines: defaultdict[int, list[tuple[str, int]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    movements: list[tuple[str, str, int, str, datetime]] = field(default_factory=list)
    pushes: list[tuple[str, str, int, datetime, str]] = field(default_factory=list)
    events: list[tuple[str, str, datetime]] = field(default_factory=list)

    def move(self, channel: str, sku: str, delta: int, reason: str, now: datetime) -> None:
        self.change(channel, sku, delta, now)
        self.movements.append((channel, sku, delta, reason, now))

    def change(self, channel: str, sku: str, delta: int, now: datetime) -> None:
        """Without a movement: half of what is right."""
        row = self.stock[channel, sku]
        row.quantity, row.changed_at = row.quantity + delta, now
        self.pools[sku] += delta


Later = Callable[[float, Callable[[datetime], None]], None]
"""Does something some seconds from now."""


class Sync:
    """What a right version does; a wrong one overrides a method.

    ``unbooked`` are the channels' orders that are not in our books yet.
    """

    version = "1.0.0"

    def __init__(
        self, shop: Shop, accounts: dict[str, Account], later: Later, random: Random
    ) -> None:
        self.shop, self.accounts, self.later, self.random = shop, accounts, later, random
        self.unbooked: dict[tuple[str, str], Sold] = {}
        self.booked: dict[tuple[str, str], Booked] = {}

    def begins(self, now: datetime) -> None:
        """The version starts to serve: every level is told once."""
        for channel, sku in self.shop.stock:
            self.tell(channel, sku)

    def import_order(self, channel: str, sold: Sold, now: datetime) -> None:
        booked = self.book(channel, sold, now)
        self.booked[channel, sold.order_id] = booked
        for sku, quantity in self.lines(sold):
            self.shop.lines[booked.id].append((sku, quantity))
            self.take(channel, sku, quantity, now)
            self.tell(channel, sku)

    def book(self, channel: str, sold: Sold, now: datetime) -> Booked:
        money, currency = self.money(sold)
        booked = Booked(
            len(self.shop.orders) + 1, channel, sold.order_id, currency, money,
            self.placed(sold), now, f"{channel}/{sold.order_id}",
        )  # fmt: skip
        self.shop.orders.append(booked)
        return booked

    def money(self, sold: Sold) -> tuple[Decimal, str]:
        return sold.total, sold.currency

    def placed(self, sold: Sold) -> datetime:
        return sold.at

    def lines(self, sold: Sold) -> list[tuple[str, int]]:
        return [(line.sku, line.quantity) for line in sold.lines]

    def take(self, channel: str, sku: str, quantity: int, now: datetime) -> None:
        self.shop.move(channel, sku, -quantity, "order", now)
        self.refill(channel, sku, now)

    def refill(self, channel: str, sku: str, now: datetime) -> None:
        row = self.shop.stock[channel, sku]
        if row.refilled and row.quantity < LOW:
            self.shop.move(channel, sku, REFILL, "transfer", now)

    def deliver(self, channel: str, sku: str, quantity: int, now: datetime) -> None:
        self.shop.move(channel, sku, quantity, "delivery", now)
        self.tell(channel, sku)

    def import_cancel(self, channel: str, sold: Sold, now: datetime) -> None:
        booked = self.booked.get((channel, sold.order_id))
        if booked is None:
            return
        booked.status = "cancelled"
        for sku, quantity in self.shop.lines[booked.id]:
            self.give_back(channel, sku, quantity, now)
            self.tell(channel, sku)

    def give_back(self, channel: str, sku: str, quantity: int, now: datetime) -> None:
        self.shop.move(channel, sku, quantity, "cancel", now)

    def ship(self, channel: str, sold: Sold, now: datetime) -> None:
        booked = self.booked.get((channel, sold.order_id))
        if booked is not None and booked.status == "open":
            booked.status, booked.shipped_at = "shipped", now
            self.later(self.lag(), lambda then: self.tell_shipped(channel, sold, then))

    def tell_shipped(self, channel: str, sold: Sold, now: datetime) -> None:
        account = self.accounts[channel]
        if account.orders[sold.order_id][-1].state == "open":
            account.become(sold.order_id, "shipped", now)

    def receive(self, channel: str, sold: Sold, now: datetime) -> None:
        """The channel's event of an order."""
        self.shop.events.append((channel, sold.order_id, now))

    def tell(self, channel: str, sku: str) -> None:
        self.later(self.lag(), lambda then: self.push(channel, sku, then))

    def push(self, channel: str, sku: str, now: datetime) -> None:
        level = self.level(channel, sku, now)
        self.accounts[channel].set_stock(sku, level, now)
        self.shop.pushes.append((channel, sku, level, now, self.version))

    def level(self, channel: str, sku: str, now: datetime) -> int:
        """What may be sold, less what the channel has sold and we have not booked yet."""
        under_way = sum(
            line.quantity
            for (where, _), sold in self.unbooked.items()
            for line in sold.lines
            if where == channel and line.sku == sku
        )
        return max(0, self.shop.stock[channel, sku].for_sale - under_way)

    def import_lag(self) -> float:
        """Seconds; one of fifty is tried again minutes later."""
        return self.lag() + (self.random.uniform(60, 180) if self.random.random() < 0.02 else 0)

    def lag(self) -> float:
        return min(120.0, 3 + self.random.expovariate(1 / 15))
