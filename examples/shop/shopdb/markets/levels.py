"""A market's levels are raised without losing what it sells meanwhile.

A level is absolute. One that came from our own books, or was read a moment too early, would put
units back on sale that the market has just sold. So the new level is what the market itself shows
plus the refill, and what it has sold is looked up before and after: when something was sold in
between, the level is set again, without it.
"""

from collections import Counter
from datetime import UTC, datetime, timedelta

ROUNDS = 5
RECENT = timedelta(seconds=60)


def raised(market, units):
    """Adds ``units`` {sku: quantity}; answers the new levels. OSError when it sells too fast."""
    since = datetime.now(UTC) - RECENT
    shown, before = quiet(market, units, since)
    sold = before
    for _ in range(ROUNDS):
        levels = {sku: shown[sku] + more - sold[sku] + before[sku] for sku, more in units.items()}
        market.set_stock(levels)
        known, sold = sold, sold_since(market, since)
        if sold == known:
            return levels
    raise OSError(f"it sold something in each of {ROUNDS} rounds of setting its levels")


def quiet(market, skus, since):
    """(stock, units sold since) of one moment: nothing was sold while they were read."""
    before = sold_since(market, since)
    for _ in range(ROUNDS):
        shown, after = market.stock(skus), sold_since(market, since)
        if after == before:
            return shown, after
        before = after
    raise OSError(f"it sold something in each of {ROUNDS} readings of its stock")


def sold_since(market, since):
    """Units by SKU in the orders that stand."""
    orders, _ = market.orders(since)
    sold = Counter()
    for order in orders:
        for sku, quantity in order["lines"] if not order["cancelled"] else ():
            sold[sku] += quantity
    return sold
