"""The kinds of runs: what is wrong with the release or around it, and what has to be said of it."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Literal

from examples.marketplace.faults import Faults
from tests.campaigns.checks import faulty
from tests.campaigns.checks.shop import Sync
from tests.campaigns.checks.street import CHANNELS, Street

Severity = Literal["critical", "high", "warning", "unknown", "none"]
Around = Callable[[Street, Random], None]


@dataclass(frozen=True)
class Kind:
    """``checks`` are those of which one has to speak; ``share`` the range of how often it errs.

    A *critical* one must fail, *high* and *warning* must be told, an *unknown* one must be
    inconclusive, *none* must pass. ``around`` happens outside at the release's time, ``surge``
    multiplies what is bought from then on. ``before`` served already when the release came; every
    channel has ``skus``.
    """

    name: str
    severity: Severity
    version: type[Sync] = Sync
    checks: tuple[str, ...] = ()
    share: tuple[float, float] = (0.25, 1)
    around: Around | None = None
    surge: float = 1
    before: type[Sync] = Sync
    skus: int = 60


def _on_some(kinds: tuple[str, ...], **switches: object) -> Around:
    """Faults of one channel, of a kind among these."""

    def around(street: Street, random: Random) -> None:
        able = [name for name, (kind, _) in CHANNELS.items() if kind in kinds]
        street.market(random.choice(able)).faults = Faults(**switches)  # type: ignore[arg-type]

    return around


def _everywhere(**switches: object) -> Around:
    def around(street: Street, random: Random) -> None:
        for channel in CHANNELS:
            street.market(channel).faults = Faults(**switches)  # type: ignore[arg-type]

    return around


def _drop_skus(street: Street, random: Random) -> None:
    channel = random.choice(sorted(CHANNELS))
    listed = sorted(street.accounts[channel].levels)
    street.market(channel).faults.drop_sku.extend(random.sample(listed, 2))


ALL_KINDS = ("amazon", "ebay", "shopee", "shopify", "magento")
COUNTED = ("ebay", "magento", "shopify")
"""Marketplaces that say how many rows there are."""

MANY = 1_000_000
PAGES = 250
"""SKUs that fill more than one page of every marketplace."""

GUILTY = (
    Kind("decrements twice", "critical", faulty.DecrementsTwice, ("INV-07", "INV-08")),
    Kind("books movements twice", "critical", faulty.BooksMovementsTwice, ("INV-07",)),
    Kind("forgets movements", "critical", faulty.ForgetsMovements, ("INV-07", "INV-08")),
    Kind("loses orders", "critical", faulty.LosesOrders, ("ORD-01",), (0.1, 1)),
    Kind("doubles orders", "critical", faulty.DoublesOrders, ("ORD-02",), (0.1, 1)),
    Kind("books on another channel", "critical", faulty.OtherChannel, ("ORD-01", "INV-07"),
         (0.1, 1)),
    Kind("wrong currency", "critical", faulty.WrongCurrency, ("ORD-04",), (0.1, 1)),
    Kind("wrong digits", "critical", faulty.WrongDigits, ("ORD-04",), (0.1, 1)),
    Kind("rounds money", "critical", faulty.RoundsMoney, ("ORD-04",), (0.1, 1)),
    Kind("swaps lines", "critical", faulty.SwapsLines, ("ORD-05",)),
    Kind("drops lines", "critical", faulty.DropsLines, ("ORD-05",)),
    Kind("ignores cancellations", "critical", faulty.IgnoresCancellations, ("ORD-06",), (0.5, 1)),
    Kind("gives back twice", "critical", faulty.GivesBackTwice, ("INV-07",), (0.5, 1)),
    Kind("negative stock", "critical", faulty.RefillsBackwards, ("INV-03",)),
    Kind("oversells a pool", "critical", faulty.GivesPoolToEach, ("INV-02",)),
    Kind("sells what is sold out", "critical", faulty.SellsSoldOut, ("INV-04",), (0.5, 1)),
    Kind("tells too much", "critical", faulty.TellsTwice, ("INV-01",)),
    Kind("tells old levels", "critical", faulty.TellsOldLevels, ("INV-01",)),
    Kind("tells sold out", "critical", faulty.TellsSoldOut, ("INV-01", "INV-05")),
    Kind("never tells", "critical", faulty.NeverTells, ("INV-01", "INV-10"), (1, 1)),
    Kind("empties stock", "critical", faulty.EmptiesStock, ("INV-09",)),
    Kind("lists ghosts", "high", faulty.ListsGhosts, ("INV-06",)),
    Kind("SKUs dropped", "high", Sync, ("INV-06",), around=_drop_skus),
    Kind("shifts times", "high", faulty.ShiftsTimes, ("TZ-01",)),
    Kind("imports late", "high", faulty.ImportsLate, ("LAG-01",), (0.8, 1)),
    Kind("invents orders", "high", faulty.InventsOrders, ("ORD-03",)),
    Kind("never tells shipped", "high", faulty.NeverTellsShipped, ("ORD-08",)),
    Kind("version falls forward", "high", Sync, ("VER-01",),
         around=_on_some(("shopify",), version="2027-01")),
    Kind("loses events", "warning", faulty.LosesEvents, ("HOOK-01",)),
)  # fmt: skip

UNKNOWN = (
    Kind("row missing", "unknown", around=_on_some(COUNTED, page_gap=True), skus=PAGES),
    Kind("page repeated", "unknown", around=_on_some(ALL_KINDS, repeat_page=True), skus=PAGES),
    Kind("calls refused", "unknown", around=_on_some(ALL_KINDS, refuse_429=MANY)),
    Kind("channel out of order", "unknown", around=_on_some(ALL_KINDS, fail_5xx=MANY)),
)

INNOCENT = (
    Kind("healthy", "none"),
    Kind("eightfold demand", "none", surge=8),
    Kind("slow channels", "none", around=_everywhere(lag_seconds=60)),
    Kind("fast clocks", "none", around=_everywhere(skew_seconds=20)),
    Kind("wrong before: stock", "none", faulty.DecrementsTwice, before=faulty.DecrementsTwice),
    Kind("wrong before: money", "none", faulty.RoundsMoney, before=faulty.RoundsMoney),
    Kind("wrong before: lines", "none", faulty.SwapsLines, before=faulty.SwapsLines),
)

BY_NAME = {kind.name: kind for kind in (*GUILTY, *UNKNOWN, *INNOCENT)}
