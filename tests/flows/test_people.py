"""Several people at one gateway: who starts, who may not approve, who does; no secret anywhere."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote
from uuid import UUID

import httpx
import psycopg
import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect
from psycopg import sql

from blocks import prefect_runs as runs
from blocks.people import People, Tokens
from deployments.people import key_of
from deployments.settings import write_secret
from domain.access.people import Person
from domain.access.roles import Grant, Role
from tests.browser import chromium, fill_release_form
from tests.deployments.gateway.street import free_port, sign_in
from tests.flows.test_gate import SHOWN_MS, newest_run
from tests.flows.world import Settings, World, opened, smallest

pytestmark = [pytest.mark.story, pytest.mark.browser, pytest.mark.timeout(400)]

RUN_SECONDS = 180.0
CANARY = "canary-9f27c1e4+b/7d"
"""A secret like any other; it must be found nowhere."""
TELLTALE = """

import os

print("the key is", os.environ["PAYMENT_KEY"], flush=True)
raise SystemExit(1)

"""
STAFF: dict[str, Role] = {"ann": "releaser", "bo": "approver", "cy": "viewer"}


def password(name: str) -> str:
    return f"{name} has a long password"


def guarded(settings: Settings) -> None:
    """Every release into production takes a signed approval; the secret is wherever one may be."""
    smallest(settings)
    port = free_port()
    settings["gateway"] = {"public_url": f"http://127.0.0.1:{port}", "port": port}
    production = settings["environments"]["production"]
    production |= {"canary": None, "environment": {"PAYMENT_KEY": "${file:secrets/canary}"}}
    production["approvals"] = {"signed": True, "second_factor": True, "releases": "always"}
    settings["notify"] = {"targets": {"chat": {"url": "${file:secrets/chat}"}}}


@pytest.fixture(scope="module")
def secrets_of(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """By name the secret of each second factor, once they are enrolled."""
    return {}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, secrets_of: dict[str, str]) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("people") / "shop"
    state = folder / ".tradewind"
    write_secret(state / "secrets" / "canary", CANARY)
    write_secret(state / "secrets" / "chat", f"json://user:{quote(CANARY, safe='')}@127.0.0.1:9/")
    with opened(folder, guarded) as opening:
        hire(opening, secrets_of)
        yield opening


def hire(world: World, secrets_of: dict[str, str]) -> None:
    """Their second factors were enrolled a while ago: a code counts once."""
    earlier = datetime.now(UTC) - timedelta(minutes=5)
    people = People(world.live.ledger_url, key_of(world.live.state), lambda: earlier)
    for name, role in STAFF.items():
        people.add(Person(name, grants=(Grant(role),)), password(name), "test")
        address = people.enrol_totp(name)
        secrets_of[name] = pyotp.parse_uri(address).secret
        people.confirm_totp(name, pyotp.TOTP(secrets_of[name]).at(earlier))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened_browser:
        yield opened_browser


def door(world: World) -> str:
    assert world.live.shop.gateway is not None
    return world.live.shop.gateway.origin


@contextmanager
def at_the_door(
    world: World, browser: Browser, name: str, secrets_of: dict[str, str]
) -> Iterator[Page]:
    """Somebody's own browser, signed in with the second factor."""
    context = browser.new_context(viewport={"width": 1400, "height": 1400})
    page = context.new_page()
    page.set_default_timeout(SHOWN_MS)
    page.goto(f"{door(world)}/gate/sign-in")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password(name))
    page.get_by_label("One-time code").fill(pyotp.TOTP(secrets_of[name]).now())
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="What runs where")).to_be_visible()
    yield page
    context.close()


def test_one_starts_a_release_and_cannot_approve_it_and_another_can(
    world: World, browser: Browser, secrets_of: dict[str, str]
) -> None:
    with at_the_door(world, browser, "ann", secrets_of) as page:
        page.goto(f"{door(world)}/v2/deployments")
        page.get_by_role("link", name=world.live.shop.shop).first.wait_for()
        shop = world.live.shop.shop
        deployment = fill_release_form(page, f"{door(world)}/v2", shop, "the queen")
        run = newest_run(deployment)
        assert runs.follow(run, RUN_SECONDS).waits
        page.goto(f"{door(world)}/v2/runs/flow-run/{run}")
        answer(page)
        expect(page.get_by_text("ann may not approve").first).to_be_visible()

    assert runs.follow(run, RUN_SECONDS).waits, "nothing has woken it"
    with at_the_door(world, browser, "bo", secrets_of) as page:
        page.goto(f"{door(world)}/v2/runs/flow-run/{run}")
        expect(page.get_by_text("Logs").first).to_be_visible()
        answer(page)
        expect(page.get_by_role("dialog")).to_be_hidden()

    ended = runs.follow(run, RUN_SECONDS)
    assert ended.completed, ended
    release = world.release(run)
    assert release is not None
    assert release.requested_by == "ann", "whatever was typed into the form"
    row = world.deployment(release.version, "production")
    (approval,) = world.live.ledger.approvals.of_deployment(row.id)
    assert (approval.decision, approval.decided_by) == ("approved", "bo")
    assert world.live.ledger.verify() == ()


def answer(page: Page) -> None:
    page.get_by_role("button", name="Open menu").first.click()
    page.get_by_role("menuitem", name="Resume").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name="Release of")).to_be_visible()
    dialog.get_by_label("Decision").click()
    page.get_by_role("option", name="approve now").click()
    dialog.get_by_role("button", name="Resume").click()


def test_a_version_that_shows_its_secret_as_it_dies_shows_it_to_nobody(
    world: World, secrets_of: dict[str, str]
) -> None:
    file = world.folder / "storefront" / "__main__.py"
    file.write_text(file.read_text().replace("\n\n", TELLTALE, 1))
    world.sample.commit("talkative")
    run = world.start()
    assert runs.follow(run, RUN_SECONDS).waits

    approved = approves(world, run, "bo", secrets_of["bo"])
    ended = runs.follow(run, RUN_SECONDS)

    assert approved.is_success, approved.text
    assert ended.name == "Restored", ended
    assert "the key is" in ended.message, "what it said is told"


def approves(world: World, run: UUID, name: str, secret: str) -> httpx.Response:
    """By the call that Prefect's page makes, with a code that was not used before."""
    (approval,) = world.live.ledger.approvals.waiting()
    answer = {"decision": "approve now", "plan": approval.plan_digest}
    code = pyotp.TOTP(secret).at(datetime.now(UTC) + timedelta(seconds=30))
    with httpx.Client(base_url=door(world), headers={"Origin": door(world)}, timeout=30) as client:
        assert sign_in(client, name, password(name), code=code).status_code == 303
        return client.post(f"/api/flow_runs/{run}/resume", json={"run_input": answer})


def test_a_typed_name_wakes_nobody(world: World) -> None:
    """Somebody at Prefect itself, past the gateway."""
    file = world.folder / "storefront" / "__init__.py"
    file.write_text(f"{file.read_text()}# next\n")
    world.sample.commit("next")
    run = world.start()
    assert runs.follow(run, RUN_SECONDS).waits
    (approval,) = world.live.ledger.approvals.waiting()

    said = {"decision": "approve now", "decided_by": "bo", "plan": approval.plan_digest}
    runs.answer(run, said)

    assert runs.follow(run, RUN_SECONDS).waits
    assert world.live.ledger.approvals.get(approval.id).decision == "waiting"
    runs.answer(run, {**said, "decision": "reject", "reason": "over"})


def test_a_token_starts_a_hotfix_once_and_never_approves(world: World) -> None:
    token = Tokens(world.live.ledger_url).issue("ann", "test", (Grant("releaser"),), 1)
    headers = {"Authorization": f"Bearer {token}"}
    asked = {
        "service": "storefront", "ref": "main", "reason": "checkout answers 500",
        "incident": "INC-7",
    }  # fmt: skip
    with httpx.Client(base_url=door(world), headers=headers, timeout=30) as client:
        first = client.post("/hotfix", json=asked)
        again = client.post("/hotfix", json=asked)
        seen = client.get(f"/releases/{first.json()['run']}")
        asked_for = {"environment": "production", "events": ["11.11"], "reason": "it is urgent",
                     "until": (datetime.now(UTC) + timedelta(hours=1)).isoformat()}  # fmt: skip
        lifted = client.post("/overrides", json=asked_for)
    with httpx.Client(base_url=door(world), timeout=30) as nobody:
        refused = nobody.post("/hotfix", json=asked)

    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json()["run"] == again.json()["run"] == seen.json()["run"]
    assert lifted.status_code == 403
    assert refused.status_code == 401


def test_on_a_phone_somebody_stops_everything_and_lets_it_go_on(
    world: World, browser: Browser
) -> None:
    people = People(world.live.ledger_url, key_of(world.live.state))
    session = people.begin("bo", "oidc", "127.0.0.1")
    context = browser.new_context(viewport={"width": 390, "height": 900})
    context.add_cookies([{"name": "tradewind", "value": session.token, "url": door(world)}])
    page = context.new_page()
    page.goto(f"{door(world)}/gate/environments")

    page.get_by_label("Reason").fill("orders look odd")
    page.get_by_role("button", name="Stop everything").click()
    expect(page.get_by_text("held by bo: orders look odd")).to_be_visible()
    refused = runs.follow(world.start(), RUN_SECONDS)
    page.get_by_label("Reason").fill("it was nothing")
    page.get_by_role("button", name="Let it go on").click()

    expect(page.get_by_text("held by bo")).to_be_hidden()
    assert refused.name == "Refused"
    assert "production is held by bo: orders look odd" in refused.message
    assert world.live.ledger.pauses.held() == {}
    context.close()


def test_the_secret_is_in_no_log_parameter_result_artifact_or_database(world: World) -> None:
    forms = {
        CANARY, quote(CANARY, safe=""), base64.b64encode(CANARY.encode()).decode(),
        CANARY.encode().hex(),
    }  # fmt: skip
    found = [*in_files(world.live.state, forms), *in_databases(world, forms)]

    assert found == []


def in_files(state: Path, forms: set[str]) -> Iterator[str]:
    """But where it is kept on purpose: its own file, and what a host runs with."""
    kept = (state / "secrets", state / "hosts", state / "postgres")
    for place in state.rglob("*"):
        if place.is_file() and not any(place.is_relative_to(one) for one in kept):
            content = place.read_bytes()
            if any(form.encode() in content for form in forms):
                yield str(place)


def in_databases(world: World, forms: set[str]) -> Iterator[str]:
    """Every row of every table of Prefect's database and the ledger, as text."""
    for name in ("prefect", "ledger"):
        with psycopg.connect(world.stack.postgres.url(name)) as connection:
            tables = connection.execute(
                "SELECT schemaname, tablename FROM pg_tables"
                " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
            ).fetchall()
            for schema, table in tables:
                query = sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(schema, table))
                for (row,) in connection.execute(query):
                    if any(form in row for form in forms):
                        yield f"{name}.{table}: {row[:200]}"
