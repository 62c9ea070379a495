"""How many orders a quarter of an hour usually has, by the shop's own last four weeks."""

from datetime import UTC, datetime, timedelta

from blocks.quality.scope import Scope
from blocks.quality.shop import Ours, Shop, explained, inner

QUARTER = timedelta(minutes=15)
QUARTERS_PER_HOUR = 4
WEEKS, LEAST_WEEKS = 4, 2
USUAL = """
SELECT count(*) FILTER (
           WHERE placed_at < %(begin)s - interval '1 day'
             AND extract(isodow FROM placed_at AT TIME ZONE %(zone)s)
                 = extract(isodow FROM %(begin)s AT TIME ZONE %(zone)s)
             AND extract(hour FROM placed_at AT TIME ZONE %(zone)s)
                 = extract(hour FROM %(begin)s AT TIME ZONE %(zone)s)),
       min(placed_at)
FROM ({orders}) q WHERE placed_at >= %(since)s AND placed_at < %(begin)s
"""


def quarter(at: datetime, scope: Scope) -> datetime:
    """When the last whole quarter began whose orders should all be here by now."""
    end = at.astimezone(UTC) - timedelta(seconds=scope.import_seconds)
    return end.replace(minute=end.minute // 15 * 15, second=0, microsecond=0) - QUARTER


def expected_orders(
    shop: Shop, ours: Ours, channel: str, at: datetime, scope: Scope
) -> float | None:
    """The mean of the same weekday and hour, in the channel's time; None below two weeks' orders.

    Summed up in the shop's database; None also when the quarter began before ``ours.since``.
    """
    begin = quarter(at, scope)
    if begin < ours.since:
        return None
    values = {
        "channel": channel, "since": begin - timedelta(weeks=WEEKS, hours=1), "begin": begin,
        "zone": scope.zones.get(channel, "UTC"),
    }  # fmt: skip
    with explained("orders"):
        row = shop.execute(USUAL.format(orders=inner(ours, "orders")).encode(), values).fetchone()
    orders, first = row or (0, None)
    weeks = min(WEEKS, (begin - first) // timedelta(weeks=1)) if first else 0
    return orders / weeks / QUARTERS_PER_HOUR if weeks >= LEAST_WEEKS else None
