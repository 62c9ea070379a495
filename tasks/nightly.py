"""The night's release: the head of a branch, started through the API, followed and reported."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from prefect import task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from blocks.prefect_runs import Ended, follow
from blocks.prefect_server import PrefectServer
from blocks.shop import Live
from domain.errors import Refused
from domain.journal import Release
from domain.nightly import Head, Night, gone_wrong, night_report, told, went_before
from domain.notices.messages import Facts
from domain.request import route_until
from domain.shop import Nightly
from tasks.notify import artifact_page, tell
from tasks.retries import STEP
from tasks.starting import start_once

NIGHT = "nightly-report"
REQUESTED_BY = "nightly"
NIGHT_SECONDS = 4 * 3600.0
FIRST_NIGHT = timedelta(days=1)
"""How far the first report looks back."""


def declared(live: Live) -> Nightly:
    """Refused when shop.yaml has no nightly."""
    if live.shop.nightly is None:
        raise Refused(f"nightly is missing in {live.path.name}: there is no branch to release")
    return live.shop.nightly


@task(task_run_name="find the head", **STEP)
def find_head(live: Live) -> Head:
    """What the branch ends with now."""
    branch = declared(live).branch
    commit = live.repository.resolve(branch)
    return Head(branch, commit, live.repository.subject(commit))


@task(task_run_name="has {head.commit} been there", cache_policy=NO_CACHE)
def find_earlier(live: Live, head: Head) -> Release | None:
    """The release that took this head along the night's route before, whatever it came to."""
    route = route_until(live.shop.route, declared(live).until)
    return went_before(live.ledger.releases.all(), head.commit, live.shop.services, route)


@task(task_run_name="release {head.commit}", **STEP)
def start_release(live: Live, head: Head, earlier: Release | None) -> UUID:
    """The release's own run, since a gate cannot stand in another's; asked again, the same one.

    A release under way has it already.
    """
    if earlier is not None:
        return UUID(earlier.flow_run)
    nightly = declared(live)
    request = {
        "ref": head.commit,
        "until": nightly.until,
        "requested_by": REQUESTED_BY,
        "reason": f"the head of {nightly.branch}: {head.subject}"[:500],
    }
    return start_once(live, "release", request, f"nightly:{head.commit}")


@task(task_run_name="follow {run}", **STEP)
def follow_release(run: UUID) -> Ended:
    """How the release ended, or that it waits for a person; Failed when neither came in time."""
    return follow(run, NIGHT_SECONDS)


def came_to(live: Live, ended: Ended) -> str:
    """What the night's release came to, in a sentence."""
    release = live.ledger.releases.of_flow_run(str(ended.run))
    if release is None:
        return f"nothing was released: {ended.name}: {ended.message}"
    return f"{release.version} waits for a person" if ended.waits else told(release)


@task(task_run_name="report the night", **STEP)
def report_night(live: Live, head: Head, sentence: str, flow_run: str) -> None:
    """What the head came to, and every release that ended badly since the night before."""
    name = f"nightly/{live.shop.shop}"
    since = PrefectServer().started_before(name, flow_run) or datetime.now(UTC) - FIRST_NIGHT
    wrong = gone_wrong(live.ledger.releases.all(), since)
    create_markdown_artifact(
        night_report(Night(head, sentence, since, wrong)), key=NIGHT, description=sentence[:200]
    )
    link = artifact_page(live, NIGHT)
    tell(live, "nightly", flow_run, Facts(live.shop.shop, outcome=sentence, link=link))
