"""A hotfix: one service, a second pair of eyes, a shortened canary, and its way back to main."""

from collections.abc import Iterator
from uuid import UUID

import pytest

from blocks import prefect_runs as runs
from domain.hotfix import key
from domain.journal import Release
from tasks.deployment import scope_of
from tasks.hotfix import HotfixRequest, remind_back_merges
from tasks.starting import start_once
from tests.flows.world import Settings, World, opened, smallest

pytestmark = [pytest.mark.story, pytest.mark.customers, pytest.mark.timeout(400)]

RUN_SECONDS = 180.0


def usual(settings: Settings) -> None:
    """A canary that would bake for minutes; a hotfix has half a second."""
    smallest(settings)
    settings["environments"]["production"]["canary"] |= {"weights": [10, 50, 100]}
    settings["environments"]["production"]["canary"]["bake_seconds"] = 0.2
    settings["hotfix"] = {"weights": [50, 100], "deadline_seconds": 600}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """With the first version live, customers, and a fix that is not merged."""
    with opened(tmp_path_factory.mktemp("hotfix") / "shop", usual) as opening:
        assert opening.released().state == "released"
        opening.sample.branch_off("fix")
        file = opening.folder / "storefront" / "__init__.py"
        file.write_text(f"{file.read_text()}# the fix\n")
        opening.sample.commit("Fix the checkout")
        opening.street.open_doors()
        yield opening
        opening.street.close_doors()


def started(world: World, **more: str) -> UUID:
    """As the gateway starts it: under a key of service, commit and incident."""
    live = world.live
    commit = live.repository.resolve(more.get("ref", "fix"))
    asked = {"service": "storefront", "reason": "checkout answers 500", "incident": "INC-1"}
    request = HotfixRequest(**{**asked, **more, "ref": commit}, requested_by="Ann")
    name = key(live.shop.shop, request.service, commit, request.incident)
    return start_once(live, "hotfix", request.model_dump(), name)


def approved(world: World, run: UUID, by: str) -> Release:
    release = world.release(run)
    assert release is not None
    row = world.deployment(release.version, "production")
    (approval,) = world.live.ledger.approvals.of_deployment(row.id)
    runs.answer(run, {"decision": "approve now", "decided_by": by, "plan": approval.plan_digest})
    assert runs.follow(run, RUN_SECONDS).completed
    return world.live.ledger.releases.get(release.version)


def test_a_fix_that_changes_nothing_of_the_service_is_refused(world: World) -> None:
    ended = runs.follow(started(world, ref="main"), RUN_SECONDS)

    assert ended.name == "Refused"
    assert "nothing of storefront differs from" in ended.message


def test_a_hotfix_waits_for_a_second_person_and_goes_a_shortened_way(world: World) -> None:
    run = started(world)
    assert started(world) == run, "asked for twice, it is one"
    assert runs.follow(run, RUN_SECONDS).waits

    release = approved(world, run, "Bo")

    assert release.state == "released"
    hotfix = world.live.ledger.hotfixes.of(release.version)
    assert hotfix is not None
    assert hotfix.incident == "INC-1"
    row = world.deployment(release.version, "production")
    steps = [step.name for step in world.live.ledger.steps(scope_of(row))]
    assert [name for name in steps if name.startswith("route")] == [
        "route storefront 50",
        "route storefront 100",
    ]
    assert world.weights() == {f"storefront@{release.version}": 100}
    assert all(line["outcome"] != "dropped" for line in world.street.seen())


def test_a_hotfix_is_reminded_of_until_it_is_merged_back(world: World) -> None:
    (version,) = (one.version for one in world.live.ledger.hotfixes.unmerged())
    said = remind_back_merges.fn(world.live)

    world.sample.merge("fix")

    assert "is not in main" in said[version]
    assert remind_back_merges.fn(world.live) == {}
    assert world.live.ledger.hotfixes.unmerged() == ()
