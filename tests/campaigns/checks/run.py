"""One shop from its first buyer to the verdict on its release, by Tradewind's own judgement."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

import httpx

from blocks.quality import Ours, Quality, Scope
from blocks.quality.scope import Purpose
from domain.checks.evidence import Evidence, Outcome, exposure
from domain.checks.judgement import findings, judged, verdict
from domain.checks.looks import Look
from domain.checks.settings import Checks
from tests.campaigns.checks import books
from tests.campaigns.checks.faulty import Faulty
from tests.campaigns.checks.kinds import Kind
from tests.campaigns.checks.shop import Sync
from tests.campaigns.checks.street import Street
from tests.campaigns.checks.trade import Trade

CHECKS = Checks(
    settle_seconds=600,
    history_seconds=3600,
    import_seconds=600,
    push_seconds=600,
    ship_seconds=600,
    lag_seconds=600,
    top_skus=10,
    stock=books.QUERIES["stock"],
    orders=books.QUERIES["orders"],
    lines=books.QUERIES["lines"],
    movements=books.QUERIES["movements"],
    pushes=books.QUERIES["pushes"],
    events=books.QUERIES["events"],
)
SETTLE = timedelta(seconds=CHECKS.settle_seconds)
HISTORY = timedelta(seconds=CHECKS.history_seconds)
RATE = 1.0
"""Orders a minute and channel."""

LOOKS_AFTER = 3
MONDAY = datetime(2026, 11, 2, tzinfo=UTC)


@dataclass(frozen=True)
class Row:
    """What one run came to; ``seconds`` from the release to the verdict, ``took`` really.

    ``hasty`` is the verdict of who looks after one settle window, and again only at what is wrong.
    """

    kind: str
    seed: int
    verdict: str
    hasty: str
    failed: tuple[str, ...]
    details: tuple[str, ...]
    seconds: float
    healthy: bool
    took: float


@dataclass
class Place:
    """Where runs are made, one after the other: marketplaces, the shop's database, the ledger."""

    street: Street
    shop_url: str
    ledger_url: str

    def run(self, kind: Kind, seed: int) -> Row:
        began, random = time.monotonic(), Random(f"{kind.name} {seed}")
        release = MONDAY + timedelta(days=random.randrange(14), hours=4 + random.random() * 16)
        story = Story(self, kind, f"{kind.name} {seed}", release, random)
        story.before()
        found, seconds = story.after()
        return Row(
            kind.name, seed, verdict(found, CHECKS.restores), story.hasty(),
            tuple(dict.fromkeys(one.check for one in findings(found))),
            tuple(f"{one.channel} {one.check} {one.detail}"
                  for one in found if one.result in ("fail", "inconclusive")),
            seconds, self.healthy(), time.monotonic() - began,
        )  # fmt: skip

    def healthy(self) -> bool:
        """What the storefront's health and pages say, as a load balancer asks them."""
        pages = ("/health", "/products", "/products/SKU-001")
        return all(httpx.get(f"{self.street.storefront}{page}").is_success for page in pages)


class Story:
    """An environment of its own: its trade, its looks, in simulated time."""

    def __init__(
        self, place: Place, kind: Kind, name: str, release: datetime, random: Random
    ) -> None:
        self.place, self.kind, self.name = place, kind, name
        self.release, self.random = release, random
        self.quality = Quality(place.ledger_url, place.street.clock)
        self.since = release - 2 * SETTLE - HISTORY
        place.street.empty(self.since)
        self.trade = Trade(place.street, random, RATE, kind.skus)
        self.baseline: list[Look] = []
        self.looks: list[Look] = []

    def before(self) -> None:
        """An hour of trade, then three looks."""
        end = self.release + LOOKS_AFTER * SETTLE + timedelta(minutes=15)
        books.weeks_before(
            self.place.shop_url, self.since - timedelta(hours=1), end, RATE, self.random
        )
        self.trade.open()
        if self.kind.before is not Sync:
            self.trade.release(self._wrong(self.kind.before))
        for windows in (2, 1, 0):
            self.trade.run(self.release - windows * SETTLE - timedelta(seconds=10))
            self.baseline.append(self._look("baseline"))

    def after(self) -> tuple[tuple[Outcome, ...], float]:
        """Looks a settle window apart, each two of them judged, until one fails."""
        self._released()
        found: tuple[Outcome, ...] = ()
        for number in range(1, LOOKS_AFTER + 1):
            self.trade.run(self.release + number * SETTLE)
            self.looks.append(self._look("again" if self.looks else "first"))
            if number > 1:
                found = self._judged(*self.looks[-2:])
            if verdict(found, CHECKS.restores) == "fail":
                break
        return found, number * CHECKS.settle_seconds

    def hasty(self) -> str:
        first, second = self.looks[:2]
        at_once = self._judged(first, first)
        if all(one.result in ("pass", "off") for one in at_once):
            return "pass"
        return verdict(self._judged(first, second), CHECKS.restores)

    def _released(self) -> None:
        self.trade.run(self.release)
        if self.kind.around is not None:
            self.kind.around(self.place.street, self.random)
        self.trade.rate *= self.kind.surge
        self.trade.release(self._wrong(self.kind.version))

    def _wrong(self, version: type[Sync]) -> type[Sync]:
        if not issubclass(version, Faulty):
            return version
        share = self.random.uniform(*self.kind.share)
        return type(version.__name__, (version,), {"share": share})

    def _look(self, purpose: Purpose) -> Look:
        books.kept(self.place.shop_url, self.trade.shop)
        clients = self.place.street.clients
        readings = {
            channel: (client.stock(), client.orders_since(self.since))
            for channel, client in clients.items()
        }
        opening = self.baseline[-1].id if self.baseline else None
        scope = Scope(self.name, purpose, CHECKS, CHECKS.settle_seconds, opening=opening)
        ours = Ours(self.place.shop_url, CHECKS.declared, self.since)
        return self.quality.look(scope, ours, readings)

    def _judged(self, first: Look, again: Look) -> tuple[Outcome, ...]:
        new = self.quality.persisting(self.name, self.baseline[-1].id, first.id, again.id)
        usual = self.quality.usual(self.name, [look.id for look in self.baseline])
        found: list[Outcome] = []
        for channel in again.parts:
            evidence = Evidence(
                channel, tuple(look.parts[channel] for look in self.baseline),
                first.parts[channel], again.parts[channel],
                new.get(channel, {}), usual.get(channel, {}),
                exposure=exposure(self.baseline, again),
            )  # fmt: skip
            found += judged(evidence, CHECKS)
        return tuple(found)
