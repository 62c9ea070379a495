"""Hours of trade in moments: buyers on every channel, and what the shop's programs do of it."""

import heapq
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from examples.marketplace.account import Sold, SoldLine, SoldOut
from tests.campaigns.checks.shop import Shop, Stock, Sync
from tests.campaigns.checks.street import CHANNELS, Street

SPARE = 20
DELIVERY_SECONDS = 300.0
"""Between two deliveries of a SKU for a channel, on average."""

CANCELLED_SHARE, PENDING_SHARE = 0.12, 0.03

Happening = Callable[[datetime], None]


class Trade:
    """A queue of what happens when; ``rate`` is orders a minute on each channel.

    The first of ``skus`` sell most.
    """

    def __init__(self, street: Street, random: Random, rate: float, skus: int) -> None:
        self.street, self.random, self.rate = street, random, rate
        self.skus = tuple(f"SKU-{number:03d}" for number in range(1, skus + 1))
        self._demand = tuple(1 / (number + 3) for number in range(skus))
        self.shop = Shop()
        self.sync = Sync(self.shop, street.accounts, self.later, random)
        self._queue: list[tuple[datetime, int, Happening]] = []
        self._number = 0

    def open(self) -> None:
        """Stock on every channel, some of it sold out, and the first buyers on their way."""
        now = self.street.clock.at
        for channel in CHANNELS:
            for sku in self.skus:
                self._stock(channel, sku, now)
            self.later(self.random.expovariate(self.rate / 60), self._buyer(channel))
            self.later(self.random.expovariate(1 / DELIVERY_SECONDS), self._delivery(channel))
        for sku in self.skus:
            held = sum(self.shop.stock[channel, sku].quantity for channel in CHANNELS)
            self.shop.pools[sku] = held + SPARE

    def run(self, until: datetime) -> None:
        while self._queue and self._queue[0][0] <= until:
            self.street.clock.at, _, happens = heapq.heappop(self._queue)
            happens(self.street.clock.at)
        self.street.clock.at = until

    def later(self, seconds: float, happens: Happening) -> None:
        self._number += 1
        at = self.street.clock.at + timedelta(seconds=seconds)
        heapq.heappush(self._queue, (at, self._number, happens))

    def release(self, version: type[Sync]) -> None:
        """From now on another version serves; what the old one has in hand it brings to its end."""
        old = self.sync
        self.sync = version(self.shop, self.street.accounts, self.later, self.random)
        self.sync.version, self.sync.unbooked = "1.1.0", old.unbooked
        self.sync.booked = old.booked
        self.sync.begins(self.street.clock.at)

    def _stock(self, channel: str, sku: str, now: datetime) -> None:
        fate = self.random.random()
        quantity = 0 if fate < 0.05 else self.random.randint(15, 60)
        buffer = 2 if fate > 0.8 else 0
        row = Stock(quantity, now, buffer, refilled=fate > 0.15)
        self.shop.stock[channel, sku] = row
        self.shop.movements.append((channel, sku, quantity, "opening", now))
        self.street.accounts[channel].set_stock(sku, row.for_sale, now)

    def _buyer(self, channel: str) -> Happening:
        def comes(now: datetime) -> None:
            self.later(self.random.expovariate(self.rate / 60), self._buyer(channel))
            self._buy(channel, now)

        return comes

    def _delivery(self, channel: str) -> Happening:
        def comes(now: datetime) -> None:
            self.later(self.random.expovariate(1 / DELIVERY_SECONDS), self._delivery(channel))
            sku = self.random.choice(self.skus)
            self.sync.deliver(channel, sku, self.random.randint(5, 30), now)

        return comes

    def _buy(self, channel: str, now: datetime) -> None:
        """An order of one to three SKUs; whoever finds them sold out goes away."""
        account, currency = self.street.accounts[channel], CHANNELS[channel][1]
        wanted = dict.fromkeys(
            self.random.choices(self.skus, self._demand, k=self.random.choice((1, 1, 1, 2, 3)))
        )
        lines = tuple(
            SoldLine(sku, self.random.choice((1, 1, 2, 3)), price(sku, currency)) for sku in wanted
        )
        pending = self.random.random() < PENDING_SHARE
        try:
            sold = account.buy(lines, currency, now, "pending" if pending else "open")
        except (SoldOut, KeyError):
            return
        self.sync.unbooked[channel, sold.order_id] = sold
        if pending:
            self.later(self.random.uniform(60, 240), lambda then: self._paid(channel, sold, then))
        else:
            self._goes_on(channel, sold)

    def _paid(self, channel: str, sold: Sold, now: datetime) -> None:
        self.street.accounts[channel].become(sold.order_id, "open", now)
        self._goes_on(channel, sold)

    def _goes_on(self, channel: str, sold: Sold) -> None:
        self.later(self.sync.import_lag(), lambda now: self._import(channel, sold, now))
        self.later(self.sync.lag(), lambda now: self.sync.receive(channel, sold, now))
        if self.random.random() < CANCELLED_SHARE:
            self.later(self.random.uniform(30, 900), lambda now: self._cancel(channel, sold, now))
        else:
            self.later(
                self.random.uniform(300, 3000), lambda now: self.sync.ship(channel, sold, now)
            )

    def _import(self, channel: str, sold: Sold, now: datetime) -> None:
        if self.sync.unbooked.pop((channel, sold.order_id), None) is not None:
            self.sync.import_order(channel, sold, now)

    def _cancel(self, channel: str, sold: Sold, now: datetime) -> None:
        """One that is not booked yet is never booked."""
        self.street.accounts[channel].become(sold.order_id, "cancelled", now)
        if self.sync.unbooked.pop((channel, sold.order_id), None) is None:
            self.later(self.sync.lag(), lambda then: self.sync.import_cancel(channel, sold, then))


def price(sku: str, currency: str) -> Decimal:
    """In the currency's own digits."""
    number = int(sku.removeprefix("SKU-"))
    return Decimal(number * 110) if currency == "JPY" else Decimal(495 + 175 * number) / 100
