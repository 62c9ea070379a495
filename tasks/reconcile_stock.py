"""Every hour: do stock and orders agree with every channel, and if not, since which release."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import islice

from prefect import task
from prefect.artifacts import create_markdown_artifact

from blocks.reports import written
from blocks.shop import Live
from domain.checks.looks import Look
from domain.checks.page import csv_lines, looked
from tasks.blame import blame
from tasks.channels import Channels, begun, usual_settling
from tasks.check import SHEET
from tasks.retries import STEP

HOUR_SECONDS = 3600.0
MOST_SHOWN = 1000


@dataclass(frozen=True)
class Agreement:
    """What a look at one environment came to: what stands there now, and who could not be seen."""

    environment: str
    wrong: int
    unknown: tuple[str, ...]

    def __str__(self) -> str:
        state = f"{self.wrong:,} SKUs and orders differ" if self.wrong else "agrees"
        blind = f"; not known: {', '.join(self.unknown)}" if self.unknown else ""
        return f"{self.environment}: {state}{blind}"


def watched(live: Live) -> tuple[str, ...]:
    """Environments that have channels and something to compare them by."""
    return tuple(
        name for name, one in live.shop.environments.items() if one.channels and one.checks
    )


@task(task_run_name="stock and orders of {environment}", **STEP)
def agreement(live: Live, environment: str) -> Agreement:
    """Looks, looks again after the settle window where something is new, and says who is blamed.

    Orders are looked at from before the last hour's look on, so that none falls between two.
    """
    channels = Channels(live, environment)
    earlier = channels.quality.history(environment, count=1)
    settling = usual_settling(channels.checks, earlier)
    since = begun(HOUR_SECONDS + channels.checks.history_seconds + settling)
    channels.measure(since, settling)
    look = partial(channels.look, "hourly", since, settling)
    seen = confirmed(channels, channels.whole(look), earlier, look, settling)
    blame(live, environment)
    return told(live, channels, seen)


def confirmed(
    channels: Channels, seen: Look, earlier: tuple[Look, ...], look: Callable[..., Look],
    settling: float,
) -> Look:  # fmt: skip
    """What is new is fetched once more: an honest difference is over by then."""
    last = earlier[-1].at if earlier else datetime.min.replace(tzinfo=UTC)
    named = channels.wrong(seen, last)
    if named == {}:
        return seen
    time.sleep(settling)
    return channels.whole(partial(look, asked=named))


def told(live: Live, channels: Channels, seen: Look) -> Agreement:
    """The page as an artifact, and every row as a file; what an hour before said is replaced."""
    place = channels.environment
    rows = tuple(islice(channels.quality.open_divergences(place), MOST_SHOWN))
    create_markdown_artifact(looked(seen, rows), key=f"{SHEET}-{place}", description=place)
    file = live.state / "reports" / f"{SHEET}-{place}.csv"
    written(file, csv_lines(channels.quality.open_divergences(place)))
    unknown = tuple(name for name, part in seen.parts.items() if part.unknown)
    return Agreement(place, sum(1 for _ in channels.quality.open_divergences(place)), unknown)
