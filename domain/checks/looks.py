"""What one look at an environment's channels saw, in numbers; the rows stay in the database."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Measures:
    """What is judged as a number, not row by row; None where it could not be measured.

    ``changed_share`` of SKUs moved by more than half since the opening (INV-09); ``volume`` counts
    (here, there, expected) orders of the last whole quarter of an hour (ORD-07); ``lag_seconds`` is
    the 95th percentile over ``lag_orders`` (LAG-01); ``days`` counts orders per local day here and
    there (TZ-01); ``events`` are (received, expected, lost by the channel's own word) (HOOK-01).
    ``calls`` sent, ``refused`` of them, and the share of the quota that ``remaining`` is (RATE-01);
    ``version`` answered and ``pinned`` (VER-01).
    """

    changed_share: float | None = None
    volume: tuple[int, int, float] | None = None
    lag_seconds: float | None = None
    lag_orders: int = 0
    days: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    events: tuple[int, int, int] | None = None
    calls: int = 0
    refused: int = 0
    remaining: float | None = None
    version: str = ""
    pinned: str = ""


@dataclass(frozen=True)
class Part:
    """One channel's share of a look (or, under ``ALL``, what speaks of every channel).

    Per check the keys ``compared`` and how many are ``violating``; a check that was not made (its
    query is not declared) is in neither. ``unknown`` says why nothing may be concluded. ``sampled``
    is how many of the account's ``skus`` were asked for, None when it was all of them.
    """

    compared: Mapping[str, int] = field(default_factory=dict)
    violating: Mapping[str, int] = field(default_factory=dict)
    measures: Measures = field(default_factory=Measures)
    units: int = 0
    skus: int = 0
    sampled: int | None = None
    unknown: str = ""


@dataclass(frozen=True)
class Look:
    """One comparison: its number, the moment of our own rows, and what each channel showed."""

    id: int
    at: datetime
    parts: Mapping[str, Part]


@dataclass(frozen=True)
class Divergence:
    """A violation as long as it lasts: ``since`` the first look that saw it, ``until`` it ended.

    ``key`` is a SKU, an order id, a pool or a time; ``ours`` and ``theirs`` are the two values.
    ``suspected`` is the release that it began with, "" when none is.
    """

    channel: str
    check: str
    key: str
    ours: str
    theirs: str
    detail: str
    since: datetime
    until: datetime | None = None
    suspected: str = ""


@dataclass(frozen=True)
class New:
    """Per check what began after the baseline and outlasted the settle window.

    ``count`` of all, ``top`` of them best sellers of which too many are offered, ``rows`` at most
    200 to be shown.
    """

    count: int = 0
    top: int = 0
    rows: tuple[Divergence, ...] = ()


@dataclass(frozen=True)
class Usual:
    """What is usual for one channel's check, from the looks before: see ``judgement.allowed``.

    ``changing`` violations (those that did not stand in every window) of ``compared`` keys, a key
    as often as it was seen; ``keys`` counts each of them once.
    """

    changing: int = 0
    compared: int = 0
    keys: int = 0
