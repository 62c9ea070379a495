"""Stock and orders against every channel: a baseline before, a look after, a second to be sure."""

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

from prefect import task
from prefect.artifacts import create_markdown_artifact

from blocks.reports import written
from domain.checks.evidence import Outcome
from domain.checks.judgement import findings, verdict
from domain.checks.looks import Look
from domain.checks.page import Sheet, csv_lines, page
from domain.errors import BadRelease, Failed
from tasks.blame import BASELINE, blame
from tasks.channels import Channels, units
from tasks.deployment import Deploying
from tasks.going import strict_checks
from tasks.retries import STEP
from tasks.verdict import Before, looked_at, said, windows

CHECK, SHEET = "check stock and orders", "stock-and-orders"


@task(task_run_name=BASELINE, **STEP)
def take_baseline(under_way: Deploying) -> None:
    """How far stock and orders disagreed before anything moved, in several windows."""
    if watched(under_way):
        channels = channels_of(under_way)
        under_way.step(BASELINE, partial(windows, channels))


@task(task_run_name=CHECK, **STEP)
def check_channels(under_way: Deploying) -> None:
    """*Pass* goes on; a failure blames the release; what stays unknown is never a pass."""
    if watched(under_way):
        found = under_way.step(CHECK, partial(compared, under_way))
        shown = "; ".join(found["reasons"])
        if found["verdict"] == "fail":
            raise BadRelease(shown)
        if found["verdict"] != "pass":
            raise Failed(f"inconclusive, so not passed: {shown}")
    under_way.advance("baked")


def watched(under_way: Deploying) -> bool:
    """Of a release only: a way back restores what was proven before."""
    declared = under_way.declared
    return bool(declared.checks and declared.channels) and under_way.row.kind == "release"


def channels_of(under_way: Deploying) -> Channels:
    row = under_way.row
    return Channels(under_way.live, row.environment, row.id, strict_checks(under_way))


def compared(under_way: Deploying) -> Mapping[str, Any]:
    """The verdict; its page is an artifact, every row is in a file."""
    channels = channels_of(under_way)
    before = Before(**under_way.outcome(BASELINE))
    looks, outcomes = looked_at(channels, before)
    blame(under_way.live, under_way.environment)
    decided = verdict(outcomes, channels.checks.restores)
    published(under_way, channels, looks[-1], outcomes)
    bad = [one for one in outcomes if one.result == "inconclusive"]
    return {
        "verdict": decided,
        "reasons": [said(one) for one in (*findings(outcomes), *bad)],
        "outcomes": [{**asdict(one), "rows": len(one.rows)} for one in outcomes],
        "looks": [look.id for look in looks],
        "divergence": [units(look) for look in looks],
    }


def published(
    under_way: Deploying, channels: Channels, look: Look, outcomes: tuple[Outcome, ...]
) -> None:
    """The page as an artifact, and every row that the look saw as a file beside the reports."""
    version, place = under_way.row.version, under_way.environment
    rows = tuple(row for one in outcomes for row in one.rows)
    decided = verdict(outcomes, channels.checks.restores)
    sheet = Sheet(f"{version} in {place}", look.at, decided, outcomes, rows)
    create_markdown_artifact(page(sheet), key=SHEET, description=sheet.title)
    file = under_way.live.state / "reports" / version / f"{SHEET}-{place}.csv"
    written(file, csv_lines(channels.quality.seen_by(place, look.id)))
