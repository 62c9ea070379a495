"""What Prometheus is told: names end in their unit, labels are names of shop.yaml, never versions.

The version that serves is the one exception, as a label of an information metric: one series for
each service and environment.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from blocks.shop import Live
from domain.figures.success import success
from domain.figures.totals import Histogram
from domain.journal import FINAL

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
LEAD = (10 * MINUTE, 30 * MINUTE, HOUR, 4 * HOUR, 12 * HOUR, DAY, 3 * DAY, 7 * DAY, 30 * DAY)
RECOVERY = (10.0, 30.0, MINUTE, 2 * MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 4 * HOUR)
SINCE_DAYS = 1
"""What serves and waits now is all there, however old it is."""


class Meters(Collector):
    """Of some environments of a shop; every scrape reads the ledger."""

    def __init__(self, live: Live, places: Sequence[str]) -> None:
        self._live = live
        self._places = places

    def collect(self) -> Iterator[Metric]:
        yield from self._now()
        yield from self._totals()
        yield from self._success()

    def _now(self) -> Iterator[Metric]:
        """What serves, moves, waits, is held or differs."""
        facts = self._live.ledger.overview.lately(SINCE_DAYS).only(self._places)
        serving = GaugeMetricFamily(
            "tradewind_serving_info",
            "1 for the version of each service that serves.",
            labels=("environment", "service", "version"),
        )
        for one in facts.running:
            serving.add_metric((one.environment, one.service, one.version), 1)
        yield serving
        moving = [one for one in facts.deployments if one.state not in FINAL]
        begun = {one.environment: one.created_at for one in moving}
        ages = {place: (facts.now - at).total_seconds() for place, at in begun.items()}
        waiting = [one.deployment.environment for one in facts.waiting]
        held = self._live.ledger.pauses.held_by
        yield self._each("tradewind_unfinished_deployments", "Deployments under way.",
                         dict.fromkeys(begun, 1.0))  # fmt: skip
        yield self._each("tradewind_unfinished_deployment_age_seconds",
                         "Since when the one under way is; 0 where none is.", ages)  # fmt: skip
        yield self._each("tradewind_open_gates", "Approvals that wait for a person.",
                         {place: float(waiting.count(place)) for place in waiting})  # fmt: skip
        yield self._each("tradewind_held", "1 where a person stopped everything.",
                         {place: float(bool(held(place))) for place in self._places})  # fmt: skip
        yield self._diverged()

    def _each(self, name: str, said: str, values: dict[str, float]) -> Metric:
        """One sample an environment, 0 where there is none: an alert needs no absent()."""
        gauge = GaugeMetricFamily(name, said, labels=("environment",))
        for place in self._places:
            gauge.add_metric((place,), values.get(place, 0.0))
        return gauge

    def _diverged(self) -> Metric:
        gauge = GaugeMetricFamily(
            "tradewind_open_divergences",
            "SKUs and orders that differ from a channel.",
            labels=("environment", "channel"),
        )
        found = self._live.ledger.past.diverged()
        for place in self._places:
            for channel in self._live.shop.environments[place].channels:
                gauge.add_metric((place, channel), float(found.get((place, channel), 0)))
        return gauge

    def _totals(self) -> Iterator[Metric]:
        """Of all time."""
        totals = self._live.ledger.past.totals(LEAD, RECOVERY)
        ended = CounterMetricFamily(
            "tradewind_deployments",
            "Deployments that ended, by how.",
            labels=("environment", "kind", "result"),
        )
        for one in totals.ended:
            if one.environment in self._places and one.state in FINAL:
                ended.add_metric((one.environment, one.kind, one.state), one.times)
        yield ended
        yield self._histogram("tradewind_lead_time_seconds",
                              "From a commit to when its version serves.", totals.lead)  # fmt: skip
        yield self._histogram("tradewind_recovery_seconds",
                              "From when customers could meet a version to its being taken back.",
                              totals.recovery)  # fmt: skip
        drilled = GaugeMetricFamily(
            "tradewind_drill_passed_timestamp_seconds",
            "When each kind of drill last passed.",
            labels=("environment", "kind"),
        )
        for drill in totals.drilled:
            if drill.environment in self._places:
                drilled.add_metric((drill.environment, drill.kind), drill.passed_at.timestamp())
        yield drilled

    def _histogram(self, name: str, said: str, values: Sequence[Histogram]) -> Metric:
        family = HistogramMetricFamily(name, said, labels=("environment",))
        for one in values:
            if one.environment in self._places:
                family.add_metric((one.environment,), one.buckets, one.seconds)
        return family

    def _success(self) -> Iterator[Metric]:
        """Of the period that shop.yaml names, and what was agreed."""
        until = self._live.ledger.approvals.now()
        since = until - timedelta(days=self._live.shop.figures.period_days)
        moved = self._live.ledger.past.moved(since, until)
        shares = {"ratio": "Deployments that ended safely.",
                  "proven_ratio": "At least this is proven at 95 % confidence."}  # fmt: skip
        ratio, proven = (
            GaugeMetricFamily(f"tradewind_success_{name}", said, labels=("environment",))
            for name, said in shares.items()
        )
        for place in self._places:
            found = success([one for one in moved if one.environment == place])
            if found.safe.ratio is not None:
                ratio.add_metric((place,), found.safe.ratio)
                proven.add_metric((place,), found.proven_percent / 100)
        agreed = self._live.shop.figures.success_percent / 100
        yield from (ratio, proven)
        yield GaugeMetricFamily("tradewind_success_agreed_ratio", "What was agreed.", value=agreed)
