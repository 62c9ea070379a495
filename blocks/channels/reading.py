"""An answer that comes in pages: its rows as they arrive, and in the end how it went."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from domain.channel import Fetch

Row = TypeVar("Row")


class Incomplete(Exception):
    """The next page cannot be had; the message says why. Ends a reading, nothing else."""


class Rejected(Incomplete):
    """The channel understood the call and said no (4xx): nothing is the matter with the channel."""


@dataclass
class Tally:
    """Counted while reading; see ``Fetch`` for what the fields mean."""

    began_at: datetime
    rows: int = 0
    pages: int = 0
    calls: int = 0
    refused: int = 0
    reported: int | None = None
    reason: str = ""
    version: str = ""
    pinned: str = ""
    skew_seconds: float | None = None
    lost_events: int = 0
    seen: set[str] = field(default_factory=set, repr=False)

    def new(self, mark: str) -> None:
        """Raises Incomplete when a page's mark (its token, its cursor) was there before."""
        if mark in self.seen:
            raise Incomplete(f"page {self.pages} leads to one that was read before")
        self.seen.add(mark)


class Reading(Generic[Row]):
    """Iterate it once, to the end; then ``fetch`` has what is known of it.

    ``rows(tally)`` yields row by row; it counts pages and calls into the tally and raises
    Incomplete where it cannot go on; an answer of another shape is incomplete, too. No row is kept:
    memory does not grow with an account.
    """

    def __init__(self, rows: Callable[[Tally], Iterator[Row]], now: Callable[[], datetime]) -> None:
        self._rows = rows
        self._now = now
        self._tally = Tally(now())
        self._fetch: Fetch | None = None

    def __iter__(self) -> Iterator[Row]:
        try:
            for row in self._rows(self._tally):
                self._tally.rows += 1
                yield row
        except Incomplete as cut_short:
            self._tally.reason = str(cut_short)
        except (KeyError, TypeError, ValueError, ArithmeticError) as strange:
            what = f"{type(strange).__name__}: {strange}"
            self._tally.reason = f"page {self._tally.pages} is not in the channel's shape: {what}"
        counted = {name: value for name, value in vars(self._tally).items() if name != "seen"}
        self._fetch = Fetch(ended_at=self._now(), **counted)

    @property
    def fetch(self) -> Fetch:
        """Raises RuntimeError before the last row was taken: nothing is known until then."""
        if self._fetch is None:
            raise RuntimeError("a reading tells how it went when its last row was taken")
        return self._fetch


def batches(names: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """At most ``size`` at a time, as a channel takes them."""
    for begin in range(0, len(names), size):
        yield names[begin : begin + size]
