"""Every channel of one environment, looked at: before a release, after it, and every hour."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from blocks.quality import Ours, Quality, Scope
from blocks.quality.scope import Purpose
from blocks.shop import Live
from domain.channel import Pushed, Quota, Rate
from domain.checks.catalogue import ALL
from domain.checks.formulas import settle_window
from domain.checks.judgement import OF_STOCK
from domain.checks.looks import Look
from domain.checks.sampling import Sample, affordable, chosen
from domain.checks.settings import Checks
from domain.errors import BadInput

DAY_SECONDS = 86_400.0
UNLIMITED = Quota(1e12, 1e12, DAY_SECONDS)
MOST_NAMED = 5000
"""SKUs that are asked for by name; where more are wrong, the whole account is read again."""


class Channels:
    """One set of clients, and what shop.yaml says of their checks.

    A plain class on purpose: Prefect looks into dataclasses given to tasks, and need not here.
    """

    def __init__(
        self, live: Live, environment: str,
        deployment: int | None = None, checks: Checks | None = None,
    ) -> None:  # fmt: skip
        """``checks`` are those of shop.yaml where none are given."""
        declared = live.environment(environment)
        asked = checks or declared.checks
        if asked is None:
            raise BadInput(f"environments.{environment}.checks is missing: nothing can be compared")
        self.environment = environment
        self.checks: Checks = asked
        self.quality = Quality(live.ledger.url)
        self._deployment = deployment
        self._clients = live.channels(environment)
        self._zones = {name: one.time_zone for name, one in declared.channels.items()}
        self._shares = {name: one.budget_share for name, one in declared.channels.items()}
        self._shop = live.database_url(environment)
        self._samples: dict[str, Sample] = {}
        self._quotas: dict[str, Quota] = {}

    def ours(self, since: datetime) -> Ours:
        return Ours(self._shop, self.checks.declared, since)

    def look(
        self, purpose: Purpose, since: datetime, settle_seconds: float,
        opening: int | None = None, asked: Mapping[str, tuple[str, ...]] | None = None,
    ) -> Look:  # fmt: skip
        """Of every channel: the SKUs ``asked`` for, else its sample, else its whole account."""
        sampled = {name: sample.skus for name, sample in self._samples.items()}
        named = {**sampled, **(asked or {})}
        scope = Scope(
            self.environment, purpose, self.checks, settle_seconds, self._deployment, opening,
            named, self._quotas, self._zones,
        )  # fmt: skip
        readings = {
            name: (client.stock(named.get(name, ())), client.orders_since(since))
            for name, client in self._clients.items()
        }
        return self.quality.look(scope, self.ours(since), readings)

    def measure(self, since: datetime, settle_seconds: float) -> None:
        """What each channel allows now; where that is less than its account, a sample is drawn."""
        for name, client in self._clients.items():
            self._quotas[name] = quota = client.quota()
            rate, share = client.pace.rate, self._shares[name]
            ours = Rate(share * rate.per_second, max(1, share * rate.burst))
            # A bucket that is full again within a day limits its own operation only.
            whole = quota if quota.window_seconds >= DAY_SECONDS else UNLIMITED
            most = affordable(whole, ours, settle_seconds, client.pace.skus)
            if most < self._known(name):
                stock = self.quality.assortment(self.ours(since), name)
                seed, top = self._deployment or 0, self.checks.top_skus
                self._samples[name] = chosen(stock.best_first, stock.changed, most, top, seed)

    def _known(self, channel: str) -> int:
        """SKUs of the account as the last look saw them; 0 before the first."""
        looks = self.quality.history(self.environment, count=1)
        parts = [look.parts[channel] for look in looks if channel in look.parts]
        return parts[-1].skus if parts else 0

    def push(self, channel: str, levels: Mapping[str, int]) -> Pushed:
        return self._clients[channel].push(levels)

    def sample(self, channel: str) -> Sample | None:
        return self._samples.get(channel)

    def whole(self, look: Callable[[], Look]) -> Look:
        """A look that could see everything, or the last one when time is over."""
        deadline = time.monotonic() + self.checks.timeout_seconds
        while _unknown(seen := look()) and time.monotonic() < deadline:
            pass
        return seen

    def wrong(self, look: Look, after: datetime) -> Mapping[str, tuple[str, ...]] | None:
        """SKUs whose violations began ``after``, by channel, to be fetched once more.

        None where everything has to be: a whole pool is concerned, or too many of an account.
        """
        found: dict[str, set[str]] = {name: set() for name in self._clients}
        for one in self.quality.seen_by(self.environment, look.id):
            if one.since > after and (one.check in OF_STOCK or one.channel == ALL):
                found.setdefault(one.channel, set()).add(one.key)
        if ALL in found or max(map(len, found.values()), default=0) > MOST_NAMED:
            return None
        return {channel: tuple(sorted(skus)) for channel, skus in found.items() if skus}


def usual_settling(checks: Checks, looks: tuple[Look, ...]) -> float:
    """The settle window after these looks, in seconds: longer where orders usually arrive late."""
    lags = [part.measures.lag_seconds or 0 for look in looks for part in look.parts.values()]
    return settle_window(checks, max(lags, default=0))


def begun(seconds: float) -> datetime:
    """So long ago, aware UTC."""
    return datetime.now(UTC) - timedelta(seconds=seconds)


def units(look: Look) -> dict[str, object]:
    """A point of the report's picture: by how many units stock disagrees on all channels."""
    return {"at": look.at.isoformat(), "units": sum(part.units for part in look.parts.values())}


def _unknown(look: Look) -> bool:
    return any(part.unknown for part in look.parts.values())
