"""Stock and orders against every channel: a baseline before, a look after, a second to be sure."""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from prefect import task

from blocks.channels import ChannelClient
from blocks.quality import Ours, Quality, Tolerance, balance
from domain.errors import BadRelease, Failed
from domain.reconcile import Look, judged, verdict
from domain.shop import Checks
from tasks.deployment import Deploying
from tasks.retries import STEP

HISTORY = timedelta(hours=1)
QUERIES = ("stock", "orders", "lines", "movements")


@task(task_run_name="baseline of the channels", **STEP)
def take_baseline(under_way: Deploying) -> None:
    """How far stock and orders disagreed before anything moved, in several windows."""
    checks = under_way.declared.checks
    if checks is None or under_way.row.kind == "rollback":
        return
    for name, client in under_way.live.channels(under_way.environment).items():
        channel = Channel(under_way, checks, name, client)
        under_way.step(f"baseline of {name}", channel.baseline)


@task(task_run_name="check stock and orders", **STEP)
def check_channels(under_way: Deploying) -> None:
    """*Pass* goes on; a failure blames the release; what stays unknown is never a pass."""
    checks = under_way.declared.checks
    if checks is not None and under_way.row.kind == "release":
        for name, client in under_way.live.channels(under_way.environment).items():
            channel = Channel(under_way, checks, name, client)
            found = under_way.step(f"check {name}", channel.compare)
            _conclude(name, found)
    under_way.advance("baked")


def _conclude(name: str, found: Mapping[str, Any]) -> None:
    shown = "; ".join(found["reasons"])
    if found["verdict"] == "fail":
        raise BadRelease(f"{name}: {shown}")
    if found["verdict"] != "pass":
        raise Failed(f"{name} is inconclusive, so not passed: {shown}")


def _divergence(seen: Look) -> dict[str, Any]:
    """A point of the report's picture."""
    return {"at": datetime.now(UTC).isoformat(), "units": seen.units}


class Channel:
    """One channel of one deployment, looked at."""

    def __init__(
        self, under_way: Deploying, checks: Checks, name: str, client: ChannelClient
    ) -> None:
        self.name = name
        self._under_way = under_way
        self._checks = checks
        self._client = client
        self._quality = Quality(under_way.live.ledger.url)

    def baseline(self) -> Mapping[str, Any]:
        since = datetime.now(UTC) - HISTORY
        looks, divergence = [], []
        for window in range(self._checks.baseline_windows):
            if window:
                time.sleep(self._checks.settle_seconds / self._checks.baseline_windows)
            ours = self._ours(since, {})
            seen = self._look(ours, since)
            looks.append(asdict(seen))
            divergence.append(_divergence(seen))
        explained = balance(ours)
        before = {row["sku"]: [row["quantity"], explained.get(row["sku"], 0)] for row in ours.stock}
        return {
            "since": since.isoformat(),
            "looks": looks,
            "before": before,
            "divergence": divergence,
        }

    def compare(self) -> Mapping[str, Any]:
        """After the settle window; what looks wrong is looked at once more a window later."""
        baseline = self._under_way.outcome(f"baseline of {self.name}")
        since = datetime.fromisoformat(baseline["since"])
        before = {sku: (known[0], known[1]) for sku, known in baseline["before"].items()}
        divergence: list[dict[str, Any]] = []

        def settled() -> Look:
            time.sleep(self._checks.settle_seconds)
            seen = self._look(self._ours(since, before), since)
            divergence.append(_divergence(seen))
            return seen

        first = self._whole(settled)
        again = self._whole(settled) if first.violations or first.unknown else first
        looks = [Look(**look) for look in baseline["looks"]]
        outcomes = judged(looks, first, again, self._checks.floor)
        return {
            "verdict": verdict(outcomes),
            "reasons": [
                f"{one.check} {one.result}: {one.detail}"
                for one in outcomes
                if one.result != "pass"
            ],
            "outcomes": [asdict(one) for one in outcomes],
            "divergence": divergence,
        }

    def _whole(self, look: Callable[[], Look]) -> Look:
        """A look that could see everything, or the last one when time is over."""
        deadline = time.monotonic() + self._checks.timeout_seconds
        while (seen := look()).unknown and time.monotonic() < deadline:
            pass
        return seen

    def _look(self, ours: Ours, since: datetime) -> Look:
        """The channel's stock is read before its orders, so that every sale in it is known."""
        stock = self._client.stock()
        orders = self._client.orders_since(since)
        settled = datetime.now(UTC) - timedelta(seconds=self._checks.settle_seconds)
        tolerance = Tolerance(
            settled, self._checks.stock_tolerance_units, self._checks.stock_tolerance_share
        )
        return self._quality.look(ours, stock, orders, tolerance)

    def _ours(self, since: datetime, before: Mapping[str, tuple[int, int]]) -> Ours:
        """Of one moment, before the channel is read: what it sells meanwhile is under way."""
        queries = {name: getattr(self._checks, name) for name in QUERIES}
        database = self._under_way.live.database(self._under_way.environment)
        values = {"channel": self.name, "since": since}
        return Ours(**database.rows_at_once(queries, values), before=before)
