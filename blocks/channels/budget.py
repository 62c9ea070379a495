"""A seller account's rates, shared by every process of Tradewind through the ledger's database."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime

from blocks.ledger.store import Store
from domain.channel import Rate

SPEND = """
INSERT INTO call_budgets AS budget (account, operation, level, at)
SELECT %(account)s, %(operation)s, %(burst)s - %(cost)s, {now}
WHERE %(burst)s - %(cost)s >= %(lowest)s
ON CONFLICT (account, operation) DO UPDATE SET
    level = {level} - %(cost)s,
    at = greatest(budget.at, {now})
WHERE {level} - %(cost)s >= %(lowest)s
RETURNING level
"""
LEVEL = """least(%(burst)s, budget.level
    + greatest(0, extract(epoch FROM {now} - budget.at)::double precision) * %(rate)s)"""
NOW = "coalesce(%(now)s::timestamptz, clock_timestamp())"
TAKEN = SPEND.format(level=LEVEL.format(now=NOW), now=NOW)


class SharedBudget:
    """A Budget: one token bucket for each operation of an ``account``, in ``call_budgets``.

    Tradewind's bucket has ``share`` of the official rate and of the burst, at least one call; what
    is left belongs to the seller's own programs. A level below zero is turns that were promised:
    who comes later waits longer, so nobody who waits is overtaken. ``now`` stands in for the
    database's clock in tests.
    """

    def __init__(
        self, ledger_url: str, account: str, share: float,
        pause: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime | None] = lambda: None,
    ) -> None:  # fmt: skip
        self._store = Store(ledger_url)
        self._account = account
        self._share = share
        self._pause = pause
        self._now = now

    def spend(self, operation: str, rate: Rate, cost: float, wait_seconds: float) -> bool:
        """Waits for the turn; False, and nothing is taken, when that is over ``wait_seconds``.

        Raises Unavailable when the ledger's database does not answer.
        """
        per_second = rate.per_second * self._share
        level = self._level_after({
            "account": self._account, "operation": operation, "now": self._now(), "cost": cost,
            "burst": max(1.0, rate.burst * self._share), "rate": per_second,
            "lowest": -max(0.0, wait_seconds) * per_second,
        })  # fmt: skip
        if level is None:
            return False
        self._pause(max(0.0, -level / per_second))
        return True

    def _level_after(self, asked: Mapping[str, object]) -> float | None:
        """What the bucket has after the call was taken from it; None when it was not."""
        with self._store.connection() as connection:
            row = connection.execute(TAKEN, asked).fetchone()
        return None if row is None else float(row["level"])
