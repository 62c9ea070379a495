"""The report of a release, as artifacts under fixed keys: stages, route, and one picture."""

from collections.abc import Iterator

from prefect import task
from prefect.artifacts import create_image_artifact, create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from blocks.shop import Live
from domain.journal import Deployment, Release, Step
from domain.report import Stage, duration, route_picture, seconds_between, stages_table
from domain.story import divergences, points
from tasks.chart import data_uri
from tasks.deployment import scope_of, scope_of_correction
from tasks.incidents import errors_line

REPORT, CHART = "release-report", "release-chart"


@task(task_run_name="report {release.version}", cache_policy=NO_CACHE)
def report(live: Live, release: Release) -> None:
    """Markdown for people, a picture of weights, errors and stock where there was something."""
    create_markdown_artifact(
        markdown(live, release), key=REPORT, description=f"{release.version} {release.state}"
    )
    outcomes = [step.outcome for row in _deployments(live, release) for step in _steps(live, row)]
    seen, stock = points(outcomes), divergences(outcomes)
    if seen or stock:
        told = f"{release.version}: traffic, errors and stock"
        create_image_artifact(data_uri(release.version, seen, stock), key=CHART, description=told)


def markdown(live: Live, release: Release) -> str:
    """What happened to a release, from the ledger alone."""
    rows = _deployments(live, release)
    states = {row.environment: row.state for row in rows}
    took = seconds_between(release.committed_at, release.finished_at)
    return "\n\n".join(
        (
            f"# {release.version} {release.state}",
            f"**{release.outcome or 'under way'}**",
            f"`{release.commit[:10]}` of `{release.ref}`, asked for by {release.requested_by};"
            f" from commit to its end {duration(took) or 'not yet'}.",
            route_picture([(place, states.get(place, "not reached")) for place in release.route]),
            stages_table(tuple(stages(live, release))),
            *errors_line(live, release),
        )
    )


def stages(live: Live, release: Release) -> Iterator[Stage]:
    """Every recorded step, in order: of the release itself, then of each deployment."""
    for step in live.ledger.steps(f"release:{release.version}"):
        yield _stage("release", step)
    for row in _deployments(live, release):
        for step in _steps(live, row):
            yield _stage(row.environment, step)
        took = seconds_between(row.created_at, row.finished_at)
        yield Stage(row.environment, "**all**", row.state, took, row.reason)


def _stage(where: str, step: Step) -> Stage:
    remark = step.outcome.get("error") or "; ".join(step.outcome.get("reasons", ()))
    took = seconds_between(step.started_at, step.finished_at)
    return Stage(where, step.name, step.status, took, remark)


def _deployments(live: Live, release: Release) -> tuple[Deployment, ...]:
    rows = live.ledger.deployments.of_release(release.version)
    return tuple(row for row in rows if row.kind == "release")


def _steps(live: Live, row: Deployment) -> tuple[Step, ...]:
    return (*live.ledger.steps(scope_of(row)), *live.ledger.steps(scope_of_correction(row)))
