"""A schema change and the person who decides: in the browser, by API, too late, or not at all."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

import psycopg
import pytest
from playwright.sync_api import Page, expect
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterFlowRunId,
    DeploymentFilter,
    DeploymentFilterId,
)

from blocks import prefect_runs as runs
from blocks.database.migrators import migrator
from deployments.stack.processes import until
from domain.journal import Approval, Release
from tests.browser import chromium, fill_release_form
from tests.flows.world import Settings, World, opened, smallest

pytestmark = [pytest.mark.story, pytest.mark.long, pytest.mark.timeout(400)]

RUN_SECONDS = 120.0
SHOWN_MS = 20_000


def gated(settings: Settings) -> None:
    smallest(settings)
    settings["environments"]["production"] |= {"approve_schema": True, "canary": None}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """With the first version live, and the next one, which has a migration, on main."""
    with opened(tmp_path_factory.mktemp("gate") / "shop", gated) as opening:
        assert opening.released().state == "released"
        opening.sample.branch("gift-notes", "0001")
        opening.sample.merge("gift-notes")
        yield opening


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1400, "height": 1400})
        page.set_default_timeout(SHOWN_MS)
        yield page


def waiting(world: World) -> tuple[UUID, Release, Approval]:
    """A release of main, suspended at its gate."""
    run = world.start()
    ended = runs.follow(run, RUN_SECONDS)
    assert ended.waits, ended
    release = world.release(run)
    assert release is not None
    row = world.deployment(release.version, "production")
    (approval,) = world.live.ledger.approvals.of_deployment(row.id)
    return run, release, approval


def answer(approval: Approval, decision: str, by: str, reason: str = "") -> dict[str, str]:
    return {
        "decision": decision,
        "decided_by": by,
        "reason": reason,
        "plan": approval.plan_digest,
    }


def revision(world: World) -> str:
    return migrator("alembic").state(world.live.database("production"))


def test_a_rejected_change_touches_nothing(world: World) -> None:
    before = revision(world), world.weights()
    run, release, approval = waiting(world)

    runs.answer(run, answer(approval, "reject", "Bo", "not before the sale"))
    ended = runs.follow(run, RUN_SECONDS)

    assert ended.name == "Refused"
    assert "rejected by Bo: not before the sale" in ended.message
    assert world.deployment(release.version, "production").state == "refused"
    assert (revision(world), world.weights()) == before


def test_an_approval_that_expired_is_closed_and_touches_nothing(world: World) -> None:
    before = revision(world), world.weights()
    _, release, approval = waiting(world)
    with psycopg.connect(world.live.ledger.url) as connection:
        connection.execute("UPDATE approvals SET expires_at = now() WHERE id = %s", [approval.id])

    shop = world.live.shop.shop
    assert runs.follow(runs.start(f"reconcile/{shop}", {"shop": shop}), RUN_SECONDS).completed

    assert world.live.ledger.approvals.get(approval.id).decision == "expired"
    assert world.live.ledger.releases.get(release.version).state == "refused"
    assert (revision(world), world.weights()) == before


@pytest.mark.browser
def test_people_release_and_approve_in_the_browser(world: World, page: Page) -> None:
    shop = world.live.shop.shop
    deployment = fill_release_form(page, world.stack.ui, shop, "Ann")
    run = newest_run(deployment)
    assert runs.follow(run, RUN_SECONDS).waits

    page.goto(f"{world.stack.ui}/runs/flow-run/{run}")
    open_gate(page)
    expect(page.get_by_text("ALTER TABLE orders ADD COLUMN gift_note").first).to_be_visible()
    expect(page.get_by_text("restored beside and equal")).to_be_visible()
    decide(page, "approve now", "Ann")
    assert until(lambda: refused_answers(world, "Ann") == 1, RUN_SECONDS)
    assert runs.follow(run, RUN_SECONDS).waits, "the requester's own answer must not count"

    page.reload()
    open_gate(page)
    expect(page.get_by_text("Ann asked for this release")).to_be_visible()
    decide(page, "approve now", "Bo")
    assert until(lambda: revision(world) == "0002", RUN_SECONDS)
    assert runs.follow(run, RUN_SECONDS).completed

    release = world.release(run)
    assert release is not None
    page.goto(f"{world.stack.ui}/artifacts/artifact/{report_of(run)}")
    expect(page.get_by_role("heading", name=f"{release.version} released")).to_be_visible()
    expect(page.get_by_role("cell", name="prove the backup and rehearse on it")).to_be_visible()
    expect(page.locator("svg").get_by_text("production")).to_be_visible()


def open_gate(page: Page) -> None:
    page.get_by_role("button", name="Open menu").first.click()
    page.get_by_role("menuitem", name="Resume").click()
    expect(page.get_by_role("heading", name="Schema change:")).to_be_visible()


def decide(page: Page, decision: str, by: str) -> None:
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Decision").click()
    page.get_by_role("option", name=decision).click()
    dialog.get_by_label("Your name").fill(by)
    dialog.get_by_role("button", name="Resume").click()
    expect(dialog).to_be_hidden()


def newest_run(deployment: UUID) -> UUID:
    chosen = DeploymentFilter(id=DeploymentFilterId(any_=[deployment]))
    with get_client(sync_client=True) as client:
        found = client.read_flow_runs(deployment_filter=chosen)
    return max(found, key=lambda run: run.created or datetime.min).id


def refused_answers(world: World, by: str) -> int:
    with psycopg.connect(world.live.ledger.url) as connection:
        row = connection.execute(
            "SELECT count(*) FROM audit WHERE actor = %s AND action LIKE 'refused: %%'", [by]
        ).fetchone()
    assert row is not None
    return int(row[0])


def report_of(run: UUID) -> str:
    with get_client(sync_client=True) as client:
        wanted = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run]))
        found = client.read_artifacts(artifact_filter=wanted)
    return str(next(one.id for one in found if one.key == "release-report"))
