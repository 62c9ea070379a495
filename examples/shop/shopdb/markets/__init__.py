"""The marketplaces that the shop sells on: each spoken to in its own official API.

Every market answers ``orders(since) -> (orders, watermark)``: what has changed at or after
``since``, and where the next read may begin. An order is a dictionary of order_id, currency, total
(Decimal), placed_at and status (the market's own words), cancelled, shipped, and lines
[(sku, quantity)]; one that is not paid for yet is not among them. ``stock(skus)`` answers the units
that can be bought, ``set_stock(levels)`` sets them and ``raise_stock(units)`` adds to them, each
{sku: quantity}. One that ``counts_itself`` has ``add_inventory(token, sku, quantity)`` instead. All
raise OSError when the market refuses or is away: the next pass tries again.
"""

import json
import os
from importlib import import_module


def channels():
    """The names of the markets in MARKETS: each is a location of stock, too."""
    return tuple(_accounts())


def opened():
    """The markets in MARKETS (JSON: name -> kind, endpoint, credentials), by name."""
    return {name: _opened(**account) for name, account in _accounts().items()}


def each(markets, work):
    """``work(channel, market)`` for every one; who is away is said after the others had a turn."""
    problems = []
    for channel, market in markets.items():
        try:
            work(channel, market)
        except OSError as error:
            problems.append(f"{channel}: {error}")
    if problems:
        raise OSError("; ".join(problems))


def _accounts():
    return json.loads(os.environ.get("MARKETS") or "{}")


def _opened(kind, **account):
    return getattr(import_module(f"shopdb.markets.{kind}"), kind.capitalize())(**account)
