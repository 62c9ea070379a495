"""Which release a divergence began with: what served when, by the ledger, judged by the domain."""

from collections.abc import Iterator
from datetime import datetime

from blocks.quality import Quality
from blocks.shop import Live
from domain.checks.blame import Serving, suspected
from domain.journal import Deployment
from tasks.deployment import scope_of

BASELINE = "baseline of the channels"
MOVES = ("release", "rollback")


def blame(live: Live, environment: str) -> None:
    """Writes the suspected version beside every divergence that has none yet."""
    quality, known = Quality(live.ledger.url), tuple(served(live, environment))
    found = {
        beginning: version
        for beginning in quality.beginnings(environment)
        if (version := suspected(beginning.since, beginning.clean_before, known))
    }
    quality.suspect(environment, found)


def served(live: Live, environment: str) -> Iterator[Serving]:
    """Every version with the times in which it could do anything, newest first."""
    followed = None
    for row in live.ledger.deployments.of_environment(environment):
        if row.kind not in MOVES or row.state == "refused":
            continue
        yield Serving(row.version, _began(live, row), row.finished_at if _gone(row) else followed)
        if row.state == "done":
            followed = row.finished_at


def _began(live: Live, row: Deployment) -> datetime:
    """After the baseline was taken, where one was: nothing of the version ran before."""
    steps = {step.name: step for step in live.ledger.steps(scope_of(row))}
    baseline = steps.get(BASELINE)
    return (baseline.finished_at if baseline else None) or row.created_at


def _gone(row: Deployment) -> bool:
    return row.state in ("rolled back", "halted")
