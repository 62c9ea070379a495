"""What holds a release up: a promotion, and a person; and who may lift it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import yaml

from blocks import prefect_runs as runs
from blocks.calendars.files import shipped
from blocks.people import People
from deployments.actions import Actions
from deployments.people import key_of
from deployments.stack.processes import until
from domain.access.people import Person
from domain.access.roles import Grant
from domain.calendar.overrides import Override
from domain.host import unit_name
from domain.journal import Release
from tasks.deployment import scope_of
from tasks.hotfix import HotfixRequest
from tasks.starting import start_once
from tests.flows.world import Settings, World, opened, smallest

pytestmark = [pytest.mark.story, pytest.mark.long, pytest.mark.timeout(400)]

RUN_SECONDS = 180.0
FILE = "live.yaml"
NOTHING = "events: []\n"


def guarded(settings: Settings) -> None:
    """Only events of the shop's own file, whatever day it is today."""
    smallest(settings)
    known = [one.name for one in shipped()]
    settings["calendar"] = {"files": [FILE], "without": known}
    settings["environments"]["production"]["canary"] |= {"weights": [50, 100]}
    settings["hotfix"] = {"weights": [50, 100]}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """With one version live, customers, and two people."""
    folder = tmp_path_factory.mktemp("freeze") / "shop"
    folder.mkdir()
    (folder / FILE).write_text(NOTHING)
    with opened(folder, guarded) as opening:
        people = People(opening.live.ledger_url, key_of(opening.live.state))
        for name, role in (("olga", "admin"), ("bo", "approver")):
            people.add(Person(name, grants=(Grant(role),)), f"{name} has a password", "test")
        assert opening.released().state == "released"
        opening.street.open_doors()
        yield opening
        opening.street.close_doors()


@contextmanager
def live_show(world: World) -> Iterator[None]:
    """A hard freeze that began an hour ago."""
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    times = {
        "begins": now - timedelta(hours=1), "ends": now + timedelta(hours=5), "time_zone": "UTC",
    }  # fmt: skip
    rule = {"kind": "timed", "times": [times]}
    event = {"name": "Live show", "tier": "hard", "rule": rule}
    (world.folder / FILE).write_text(yaml.safe_dump({"events": [event]}))
    try:
        yield
    finally:
        (world.folder / FILE).write_text(NOTHING)


def changed(world: World, what: str) -> None:
    file = world.folder / "storefront" / "__init__.py"
    file.write_text(f"{file.read_text()}# {what}\n")
    world.sample.commit(what)


def hotfix(world: World, incident: str) -> runs.Ended:
    request = HotfixRequest(
        service="storefront", ref=world.live.repository.resolve("main"), incident=incident,
        reason="checkout answers 500", requested_by="ann",
    )  # fmt: skip
    run = start_once(world.live, "hotfix", request.model_dump(), incident)
    ended = runs.follow(run, RUN_SECONDS)
    if not ended.waits:
        return ended
    (approval,) = world.live.ledger.approvals.waiting()
    said = {"decision": "approve now", "decided_by": "bo", "plan": approval.plan_digest}
    runs.answer(run, said)
    return runs.follow(run, RUN_SECONDS)


def test_a_promotion_lets_only_an_urgent_fix_of_three_people_through(world: World) -> None:
    changed(world, "for the show")
    with live_show(world):
        refused = runs.follow(world.start(), RUN_SECONDS)
        alone = hotfix(world, "INC-1")
        until_tonight = datetime.now(UTC) + timedelta(hours=3)
        asked = world.live.ledger.overrides.ask(
            "production",
            Override("olga", "", "checkout is down", until_tonight, ("Live show",)),
        )
        still_alone = hotfix(world, "INC-2")
        world.live.ledger.overrides.agree(asked.id, "bo")
        lifted = hotfix(world, "INC-3")
        still = runs.follow(world.start(), RUN_SECONDS)

    assert refused.name == "Refused"
    assert "Live show on amazon-us, hard from" in refused.message
    assert (alone.name, still_alone.name) == ("Refused", "Refused")
    assert lifted.completed, lifted
    assert still.name == "Refused", "a plain release is never let through a hard freeze"


def test_the_way_back_is_open_during_a_promotion(world: World) -> None:
    (before,) = world.weights()
    older = [one.version for one in world.live.ledger.releases.all() if one.state == "released"]
    request = {
        "environment": "production", "version": older[-1],
        "reason": "worse", "requested_by": "ann",
    }  # fmt: skip
    with live_show(world):
        ended = Actions(world.live.path).rollback(request)

    assert ended["state"] == "Completed", ended
    assert world.weights() == {unit_name("storefront", older[-1]): 100}
    assert before not in world.weights()


def test_what_begins_under_way_takes_the_release_back(world: World) -> None:
    changed(world, "begun before the show")
    run = world.start()
    assert until(lambda: under_way(world, run), RUN_SECONDS)

    with live_show(world):
        ended = runs.follow(run, RUN_SECONDS)

    assert ended.name == "Restored", ended
    assert "Live show" in ended.message


def under_way(world: World, run: object) -> bool:
    release = world.live.ledger.releases.of_flow_run(str(run))
    return release is not None and "prepare hosts" in step_names(world, release)


def step_names(world: World, release: Release) -> list[str]:
    rows = world.live.ledger.deployments.of_release(release.version)
    return [one.name for row in rows for one in world.live.ledger.steps(scope_of(row))]


def test_a_person_stops_everything_and_lets_it_go_on(world: World) -> None:
    changed(world, "held on its way")
    run, pauses = world.start(), world.live.ledger.pauses
    assert until(lambda: under_way(world, run), RUN_SECONDS)

    pauses.hold("*", "Olga", "something is odd")
    refused = runs.follow(world.start(), RUN_SECONDS)
    held = runs.state(run)
    pauses.let_go("*", "Olga", "it was nothing")

    assert refused.name == "Refused"
    assert "held with every environment by Olga: something is odd" in refused.message
    assert held is None, "it waits, and neither goes back nor fails"
    assert runs.follow(run, RUN_SECONDS).completed
