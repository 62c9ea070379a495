"""Versions of the shop's programs that are wrong in one way each; ``share`` of the time."""

from datetime import datetime, timedelta
from decimal import Decimal

from examples.marketplace.account import Sold
from tests.campaigns.checks.shop import REFILL, Booked, Sync


class Faulty(Sync):
    share = 1.0

    @property
    def errs(self) -> bool:
        return self.random.random() < self.share

    def some(self, share: float) -> list[tuple[str, str]]:
        """A random part of all SKUs of all channels, at least one."""
        every = sorted(self.shop.stock)
        return self.random.sample(every, max(1, round(share * len(every))))


class DecrementsTwice(Faulty):
    def take(self, channel: str, sku: str, quantity: int, now: datetime) -> None:
        if self.errs:
            self.shop.change(channel, sku, -quantity, now)
        super().take(channel, sku, quantity, now)


class BooksMovementsTwice(Faulty):
    """Stock and its movements agree, the orders explain half."""

    def take(self, channel: str, sku: str, quantity: int, now: datetime) -> None:
        super().take(channel, sku, quantity, now)
        if self.errs:
            super().take(channel, sku, quantity, now)


class ForgetsMovements(Faulty):
    def refill(self, channel: str, sku: str, now: datetime) -> None:
        if self.shop.stock[channel, sku].quantity < 30 and self.errs:
            self.shop.change(channel, sku, REFILL, now)


class LosesOrders(Faulty):
    def import_order(self, channel: str, sold: Sold, now: datetime) -> None:
        if not self.errs:
            super().import_order(channel, sold, now)


class DoublesOrders(Faulty):
    def import_order(self, channel: str, sold: Sold, now: datetime) -> None:
        super().import_order(channel, sold, now)
        if self.errs:
            super().import_order(channel, sold, now)


class OtherChannel(Faulty):
    """Books an order under another channel's name."""

    def book(self, channel: str, sold: Sold, now: datetime) -> Booked:
        other = self.random.choice([one for one in self.accounts if one != channel])
        return super().book(other if self.errs else channel, sold, now)


class WrongCurrency(Faulty):
    def money(self, sold: Sold) -> tuple[Decimal, str]:
        wrong = "EUR" if sold.currency != "EUR" else "USD"
        return sold.total, wrong if self.errs else sold.currency


class WrongDigits(Faulty):
    def money(self, sold: Sold) -> tuple[Decimal, str]:
        factor = 100 if sold.currency == "JPY" else Decimal("0.01")
        return sold.total * factor if self.errs else sold.total, sold.currency


class RoundsMoney(Faulty):
    """To whole units; the yen has no others, so there it is right."""

    def money(self, sold: Sold) -> tuple[Decimal, str]:
        return Decimal(round(sold.total)) if self.errs else sold.total, sold.currency


class SwapsLines(Faulty):
    def lines(self, sold: Sold) -> list[tuple[str, int]]:
        right = super().lines(sold)
        quantities = [quantity for _, quantity in right]
        swapped = list(zip((sku for sku, _ in right), quantities[1:] + quantities[:1], strict=True))
        return swapped if self.errs else right


class DropsLines(Faulty):
    """Reads the first page of an order's lines only."""

    def lines(self, sold: Sold) -> list[tuple[str, int]]:
        return super().lines(sold)[: 1 if self.errs else None]


class IgnoresCancellations(Faulty):
    def import_cancel(self, channel: str, sold: Sold, now: datetime) -> None:
        if not self.errs:
            super().import_cancel(channel, sold, now)


class GivesBackTwice(Faulty):
    def give_back(self, channel: str, sku: str, quantity: int, now: datetime) -> None:
        super().give_back(channel, sku, quantity, now)
        if self.errs:
            super().give_back(channel, sku, quantity, now)


class RefillsBackwards(Faulty):
    """Takes what it should add: stock falls below zero."""

    def refill(self, channel: str, sku: str, now: datetime) -> None:
        row = self.shop.stock[channel, sku]
        if row.refilled and 0 < row.quantity < 20:
            self.shop.move(channel, sku, -REFILL, "transfer", now)


class GivesPoolToEach(Faulty):
    """Allots all there is to every channel; stock and levels agree on each of them."""

    def begins(self, now: datetime) -> None:
        for channel, sku in self.some(0.3):
            pool = self.shop.pools[sku]
            missing = pool - self.shop.stock[channel, sku].quantity
            self.shop.move(channel, sku, missing, "allotment", now)
            self.shop.pools[sku] = pool
        super().begins(now)


class SellsSoldOut(Faulty):
    def level(self, channel: str, sku: str, now: datetime) -> int:
        right = super().level(channel, sku, now)
        return 3 if right == 0 and self.errs else right


class TellsSoldOut(Faulty):
    def level(self, channel: str, sku: str, now: datetime) -> int:
        return 0 if self.errs else super().level(channel, sku, now)


class TellsTwice(Faulty):
    def level(self, channel: str, sku: str, now: datetime) -> int:
        right = super().level(channel, sku, now)
        return 2 * right if self.errs else right


class TellsOldLevels(Faulty):
    """What was right an hour ago."""

    def level(self, channel: str, sku: str, now: datetime) -> int:
        old = sum(
            delta
            for where, what, delta, _, at in self.shop.movements
            if (where, what) == (channel, sku) and at < now - timedelta(hours=1)
        )
        return max(0, old) if self.errs else super().level(channel, sku, now)


class EmptiesStock(Faulty):
    """A correction of all counted stock, of a count that was never made."""

    def begins(self, now: datetime) -> None:
        for channel, sku in self.some(0.6):
            quantity = self.shop.stock[channel, sku].quantity
            self.shop.move(channel, sku, -quantity, "correction", now)
        super().begins(now)


class NeverTells(Faulty):
    def begins(self, now: datetime) -> None:
        """Not even once."""

    def push(self, channel: str, sku: str, now: datetime) -> None:
        if not self.errs:
            super().push(channel, sku, now)


class ListsGhosts(Faulty):
    """SKUs that we do not have are for sale."""

    def begins(self, now: datetime) -> None:
        super().begins(now)
        for channel in self.accounts:
            self.accounts[channel].set_stock("GHOST-1", 7, now)


class ShiftsTimes(Faulty):
    """A channel's local time is taken for UTC."""

    def placed(self, sold: Sold) -> datetime:
        return sold.at + timedelta(hours=-8) if self.errs else sold.at


class ImportsLate(Faulty):
    def import_lag(self) -> float:
        return super().import_lag() + (self.random.uniform(240, 420) if self.errs else 0)


class InventsOrders(Faulty):
    def import_order(self, channel: str, sold: Sold, now: datetime) -> None:
        super().import_order(channel, sold, now)
        if self.errs:
            invented = self.book(channel, sold, now)
            invented.order_id, invented.key = f"{sold.order_id}-2", f"{invented.key}-2"


class NeverTellsShipped(Faulty):
    def tell_shipped(self, channel: str, sold: Sold, now: datetime) -> None:
        if not self.errs:
            super().tell_shipped(channel, sold, now)


class LosesEvents(Faulty):
    def receive(self, channel: str, sold: Sold, now: datetime) -> None:
        if not self.errs:
            super().receive(channel, sold, now)
