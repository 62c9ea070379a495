"""What a look measures as a number, and each channel's part of it."""

from collections.abc import Mapping
from typing import Any

from blocks.quality.comparison import Comparison
from blocks.quality.volume import QUARTER, quarter
from domain.checks.catalogue import ALL
from domain.checks.looks import Measures, Part

OF_ORDERS = """
SELECT channel, count(lag) AS lag_orders,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY lag) AS lag_seconds,
       count(*) FILTER (WHERE here AND placed_at >= %(begin)s AND placed_at < %(end)s) AS here,
       count(*) FILTER (WHERE there AND created_at >= %(begin)s AND created_at < %(end)s) AS there
FROM (SELECT *, CASE WHEN here AND there AND created_at >= %(since)s
             THEN extract(epoch FROM imported_at - created_at)::float END AS lag FROM orders) o
GROUP BY channel
"""
DAYS = """
SELECT channel, (placed_at AT TIME ZONE zone)::date::text AS here,
       (created_at AT TIME ZONE zone)::date::text AS there, count(*) AS count
FROM orders JOIN unnest(%(channels)s::text[], %(zones)s::text[]) AS z (channel, zone)
USING (channel) WHERE here AND there GROUP BY 1, 2, 3
"""
OF_STOCK = """
SELECT channel, count(*) FILTER (WHERE here) AS skus,
       coalesce(sum(distance) FILTER (WHERE inv_01 IS NOT NULL), 0) AS units
FROM stock GROUP BY channel
"""
SKUS = "SELECT channel, count(*) AS skus FROM our_stock GROUP BY channel"


def parts(comparison: Comparison) -> dict[str, Part]:
    """One per channel, and one for what speaks of all of them."""
    skus = {row["channel"]: row["skus"] for row in comparison.rows(SKUS)}
    stock = {row["channel"]: row for row in comparison.rows(OF_STOCK)}
    measured = _measured(comparison)
    found = {}
    for channel, problem in comparison.unknown.items():
        if channel == ALL:
            continue
        asked = comparison.scope.asked.get(channel, ())
        found[channel] = Part(
            *_split(comparison.counts.get(channel, {})),
            measured[channel],
            units=int(stock.get(channel, {}).get("units", 0)),
            skus=skus.get(channel, 0),
            sampled=len(asked) or None,
            unknown=problem,
        )
    return {**found, ALL: _of_all(comparison)}


def _of_all(comparison: Comparison) -> Part:
    """A pool that cannot be judged is in no count."""
    problem = comparison.unknown[ALL]
    return Part(unknown=problem) if problem else Part(*_split(comparison.counts.get(ALL, {})))


def _split(
    counts: Mapping[str, tuple[int, int]],
) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """Compared, and those that are violating."""
    return (
        {check: compared for check, (compared, _) in counts.items()},
        {check: violating for check, (_, violating) in counts.items() if violating},
    )


def _measured(comparison: Comparison) -> dict[str, Measures]:
    begin = quarter(comparison.mine.at, comparison.scope)
    orders = comparison.rows(OF_ORDERS, begin=begin, end=begin + QUARTER)
    of_orders = {row["channel"]: row for row in orders}
    days = _days(comparison)
    found = {}
    for channel, problem in comparison.unknown.items():
        if channel == ALL:
            continue
        expected = None if problem else comparison.mine.expected[channel]
        found[channel] = Measures(
            **_of_answer(comparison, channel),
            **_of_counts(comparison, channel),
            **_of_orders(of_orders.get(channel), expected),
            days=days.get(channel, {}),
        )
    return found


def _of_answer(comparison: Comparison, channel: str) -> dict[str, Any]:
    """RATE-01 and VER-01: also of an answer that is not whole."""
    fetches = comparison.answers[channel].fetches
    quota = comparison.scope.quotas.get(channel)
    said = [(one.version, one.pinned) for one in fetches if one.version]
    version, pinned = next((one for one in said if one[0] != one[1]), said[0] if said else ("", ""))
    return {
        "calls": sum(one.calls for one in fetches),
        "refused": sum(one.refused for one in fetches),
        "remaining": quota.remaining / quota.limit if quota and quota.limit else None,
        "version": version,
        "pinned": pinned,
    }


def _of_counts(comparison: Comparison, channel: str) -> dict[str, Any]:
    counts = comparison.counts.get(channel, {})
    found: dict[str, Any] = {}
    compared, changed = counts.get("INV-09", (0, 0))
    if compared:
        found["changed_share"] = changed / compared
    if "HOOK-01" in counts:
        expected, missing = counts["HOOK-01"]
        lost = sum(one.lost_events for one in comparison.answers[channel].fetches)
        found["events"] = (expected - missing, expected, lost)
    return found


def _of_orders(row: Mapping[str, Any] | None, expected: float | None) -> dict[str, Any]:
    """A known channel without an order has no row: nothing was bought."""
    found: dict[str, Any] = {}
    if expected is not None:
        found["volume"] = ((row["here"], row["there"]) if row else (0, 0)) + (expected,)
    if row and row["lag_orders"]:
        found.update(lag_seconds=row["lag_seconds"], lag_orders=row["lag_orders"])
    return found


def _days(comparison: Comparison) -> dict[str, dict[str, tuple[int, int]]]:
    """Orders that both sides have, per local day here and there."""
    channels = list(comparison.answers)
    zones = [comparison.scope.zones.get(channel, "UTC") for channel in channels]
    found: dict[str, dict[str, tuple[int, int]]] = {}
    for row in comparison.rows(DAYS, channels=channels, zones=zones):
        days = found.setdefault(row["channel"], {})
        here, there = days.get(row["here"], (0, 0))
        days[row["here"]] = (here + row["count"], there)
        here, there = days.get(row["there"], (0, 0))
        days[row["there"]] = (here, there + row["count"])
    return found
