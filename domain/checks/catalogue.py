"""The catalogue of checks: what each compares, how bad its failing is, what it needs to be told."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["critical", "high", "warning", "validity"]
"""*critical* takes a release back, *high* and *warning* are told, *validity* makes all unknown."""

ALL = "all channels"
"""Where a check speaks of every channel at once (INV-02)."""


@dataclass(frozen=True)
class Check:
    """One check: ``title`` is what a person reads, ``formula`` what must hold.

    ``needs`` names the queries of shop.yaml beyond stock, orders, lines and movements without which
    it is not made; ``tolerated`` is False where a single new violation fails.
    """

    id: str
    title: str
    formula: str
    severity: Severity
    needs: tuple[str, ...] = ()
    tolerated: bool = True


CHECKS = (
    Check("INV-01", "stock drifts from the channel",
          "|E - C| <= max(t_abs, t_pct * E)", "critical"),
    Check("INV-02", "more for sale than there is", "sum of C over a pool <= pool", "critical"),
    Check("INV-03", "negative stock", "E >= 0 and C >= 0", "critical", tolerated=False),
    Check("INV-04", "sold out here, for sale there",
          "not (E = 0 and C > 0)", "critical", (), False),
    Check("INV-05", "for sale here, sold out there", "not (E > buffer and C = 0, active)", "high"),
    Check("INV-06", "SKU missing on one side", "a SKU here is a SKU there", "high"),
    Check("INV-07", "stock moved otherwise than orders explain",
          "change = -ordered + cancelled + restocked", "critical"),
    Check("INV-08", "movements do not add up", "opening + movements = current", "critical"),
    Check("INV-09", "stock changed massively", "share of |change| > 50 % <= the usual", "critical"),
    Check("INV-10", "a change was not pushed", "now - last push < the limit", "high", ("pushes",)),
    Check("ORD-01", "channel order missing here",
          "an importable order is here", "critical", (), False),
    Check("ORD-02", "order twice here", "one row per order and per key", "critical"),
    Check("ORD-03", "order the channel does not know", "an order here is one there", "high"),
    Check("ORD-04", "money differs",
          "same currency, |difference| <= half a minor unit", "critical"),
    Check("ORD-05", "lines differ", "same SKUs and quantities", "critical"),
    Check("ORD-06", "cancelled there, not here", "cancelled on both sides", "critical"),
    Check("ORD-07", "unusual number of orders", "Poisson p >= 0.001", "high"),
    Check("ORD-08", "shipped here, not there", "shipped on both sides", "high"),
    Check("LAG-01", "orders arrive late", "p95 of the lag <= min(limit, 2 * usual)", "high"),
    Check("PAG-01", "the channel's answer is not whole", "rows read = rows reported", "validity"),
    Check("TZ-01", "times shifted", "placed at the same moment on both sides", "high"),
    Check("HOOK-01", "events lost", "received / expected >= 99.5 %", "warning", ("events",)),
    Check("RATE-01", "calls refused", "refused <= 1 %, remaining >= 30 %", "warning"),
    Check("VER-01", "another API version answered", "answered = pinned", "high"),
)  # fmt: skip
BY_ID = {check.id: check for check in CHECKS}
