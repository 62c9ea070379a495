"""Stock and orders against every channel at once: landed, compared once, remembered while wrong."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from blocks.quality import episodes, kept
from blocks.quality.comparison import compared
from blocks.quality.database import Ledger, Schema
from blocks.quality.judges import Judged, judged
from blocks.quality.landing import Readings, landed
from blocks.quality.scope import Scope
from blocks.quality.shop import Assortment, Ours, assortment
from domain.checks.looks import Divergence, Look, New, Usual

__all__ = ["Assortment", "Judged", "Ours", "Quality", "Readings", "Scope"]


def _utc() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Quality:
    """Works in the ledger's PostgreSQL (``url``), in a schema per look that is gone afterwards.

    ``now`` is the clock that ours and the channels' times are judged by. Every verb raises
    Unavailable when the ledger or the shop's database does not answer.
    """

    url: str
    now: Callable[[], datetime] = _utc

    def look(self, scope: Scope, ours: Ours, readings: Readings) -> Look:
        """One comparison of every channel of an environment, kept with what it found.

        A channel whose answers are not whole is *unknown*: nothing is concluded from it and its
        divergences stay as they are. Raises BadInput for a query of shop.yaml that does not answer
        as it should, or when ``ours.since`` is not what the opening was read with.
        """
        ledger = Ledger(self.url)
        kept.refuse_another_since(ledger, scope, ours)
        with Schema(ledger).opened() as schema:
            mine, answers = landed(schema, scope, ours, readings, self.now)
            with schema.connection() as connection:
                return kept.look(compared(connection, scope, mine, answers))

    def assortment(self, ours: Ours, channel: str) -> Assortment:
        """What a sample of a channel's SKUs is drawn from, by the shop's own queries."""
        return assortment(ours, channel)

    def persisting(
        self, environment: str, after: int, seen: int, again: int
    ) -> Mapping[str, Mapping[str, New]]:
        """Per channel and check what began after one look, was seen by ``seen`` and by ``again``.

        All three are numbers of looks.
        """
        return episodes.persisting(Ledger(self.url), environment, (after, seen, again))

    def judge(
        self, environment: str, after: int, seen: int, again: int, sql_above_rows: int
    ) -> Judged:
        """What persists, evaluated by Great Expectations; by plain SQL above that many rows."""
        return judged(Ledger(self.url), environment, (after, seen, again), sql_above_rows)

    def usual(self, environment: str, windows: Sequence[int]) -> Mapping[str, Mapping[str, Usual]]:
        """Per channel and check how many violations came and went in these looks."""
        return episodes.usual(Ledger(self.url), environment, windows)

    def history(
        self, environment: str, before: int | None = None, count: int = 200
    ) -> tuple[Look, ...]:
        """The last ``count`` looks, or those before the one of that number, oldest first."""
        return kept.history(Ledger(self.url), environment, before, count)

    def open_divergences(self, environment: str) -> Iterator[Divergence]:
        """Whatever is wrong now, the oldest first, as it is read."""
        return episodes.still_open(Ledger(self.url), environment)

    def seen_by(self, environment: str, look: int) -> Iterator[Divergence]:
        """Every violation that stood at a look, as it is read: the rows of its CSV file."""
        return episodes.seen_by(Ledger(self.url), environment, look)

    def beginnings(self, environment: str) -> tuple[episodes.Beginning, ...]:
        """When what is wrong and not yet suspected of a release began, for the domain to judge."""
        return episodes.beginnings(Ledger(self.url), environment)

    def suspect(self, environment: str, suspected: Mapping[episodes.Beginning, str]) -> None:
        """Writes down which version every divergence of a beginning is suspected of."""
        episodes.suspect(Ledger(self.url), environment, suspected)
