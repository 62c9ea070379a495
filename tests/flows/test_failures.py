"""Releases that fail: the page names the cause, and a stage is tried again beside what serves."""

import sys
from collections.abc import Iterator
from subprocess import CompletedProcess, run
from uuid import UUID

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import LogFilter, LogFilterFlowRunId

from blocks import prefect_runs as runs
from deployments.stack.processes import until
from domain.journal import Release
from tasks.drift import find_drift
from tests.flows.world import Settings, World, opened, quick

pytestmark = [pytest.mark.story, pytest.mark.long, pytest.mark.timeout(400)]

RUN_SECONDS = 180.0


def two_environments(settings: Settings) -> None:
    """Staging and production, nothing of which these stories watch: no channel, no canary."""
    quick(settings)
    settings["environments"]["production"] |= {"canary": None, "channels": {}, "checks": None}
    del settings["services"]["inventory-sync"]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with opened(tmp_path_factory.mktemp("failures") / "shop", two_environments) as opening:
        assert opening.released(until="staging").state == "released"
        yield opening


@pytest.fixture(scope="module")
def untested(world: World) -> Release:
    """Its own tests fail."""
    world.sample.branch_off("untested")
    test = world.folder / "storefront" / "tests" / "test_sums.py"
    test.write_text("def test_a_sum():\n    total = 2 + 2\n    assert total == 5\n")
    world.sample.commit("A sum")
    return world.released("untested", until="staging", services=["storefront"])


@pytest.fixture(scope="module")
def unconfigured(world: World) -> Release:
    """Its candidate needs a variable that nobody declared."""
    world.sample.branch_off("unconfigured")
    main = world.folder / "storefront" / "__main__.py"
    needed = 'def main():\n    os.environ["PAYMENT_KEY"]\n'
    main.write_text(main.read_text().replace("def main():\n", needed))
    world.sample.commit("Payments")
    return world.released("unconfigured", until="staging", services=["storefront"])


def told(world: World, *words: str) -> CompletedProcess[str]:
    command = [sys.executable, "-m", "deployments.cli", "--shop", str(world.live.path), *words]
    return run(command, capture_output=True, text=True, timeout=RUN_SECONDS)


def replayed(world: World, version: str, stage: str) -> runs.Ended:
    shop = world.live.shop.shop
    asked = {
        "version": version,
        "stage": stage,
        "service": "storefront",
        "requested_by": "Ann",
    }
    made = runs.start(f"replay/{shop}", {"shop": shop, "request": asked})
    return runs.follow(made, RUN_SECONDS)


def logged(run: UUID) -> str:
    with get_client(sync_client=True) as client:
        wanted = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run]))
        return "\n".join(line.message for line in client.read_logs(wanted, limit=200))


def page_of(release: Release) -> str:
    with get_client(sync_client=True) as client:
        found = client.request("POST", "/artifacts/filter", json={}).json()
    pages = [one["data"] for one in found if one["key"] == "failure-report"]
    (page,) = (str(one) for one in pages if release.version in one)
    return page


def test_failing_tests_are_named_as_the_cause(world: World, untested: Release) -> None:
    found = told(world, "why", untested.version)

    assert untested.state == "refused"
    assert found.returncode == 0, found.stderr
    assert "script errors" in found.stdout
    assert f"tradewind replay {untested.version} --from test" in found.stdout
    assert "test\\_a\\_sum" in page_of(untested) or "test_a_sum" in page_of(untested)


def test_a_variable_that_is_missing_is_named_with_what_serves_now(
    world: World, unconfigured: Release
) -> None:
    found = told(world, "why", unconfigured.version)

    assert unconfigured.state == "restored"
    assert "environment variables" in found.stdout
    assert "PAYMENT_KEY" in found.stdout
    assert "What served before serves again" in found.stdout
    assert "KeyError: 'PAYMENT_KEY'" in page_of(unconfigured)


def test_a_gate_that_failed_fails_again_with_all_its_output(
    world: World, untested: Release
) -> None:
    ended = replayed(world, untested.version, "test")

    assert ended.name == "FailedAgain", ended
    assert until(lambda: "test_sums.py::test_a_sum" in logged(ended.run), 20), "sent in batches"
    assert "total      = 4" in logged(ended.run), "its variables"


def test_a_candidate_that_failed_fails_again_and_what_serves_stays(
    world: World, unconfigured: Release
) -> None:
    (host,) = world.live.hosts("staging")
    before = host.observe().units

    ended = replayed(world, unconfigured.version, "start")

    assert ended.name == "FailedAgain", ended
    assert until(lambda: "KeyError: 'PAYMENT_KEY'" in logged(ended.run), 20), "sent in batches"
    assert host.observe().units == before
    assert find_drift.fn(world.live, "staging") == ()
    assert world.live.ledger.verify() == ()


def test_what_works_works_again_and_what_cannot_be_replayed_is_refused(
    world: World, unconfigured: Release
) -> None:
    good = world.live.ledger.deployments.done("staging")[0].version
    (host,) = world.live.hosts("staging")
    before = host.observe().units

    smoked = replayed(world, good, "smoke")
    built = replayed(world, good, "build")
    checked = replayed(world, good, "check")

    assert smoked.completed, smoked
    assert "3 pages answered 200" in smoked.message
    assert built.completed, built
    assert "the same as then" in built.message
    assert checked.name == "Refused"
    assert host.observe().units == before


def test_a_trace_tells_all_there_is_of_a_version(world: World, unconfigured: Release) -> None:
    good = world.live.ledger.deployments.done("staging")[0].version

    found = told(world, "trace", unconfigured.version)

    assert found.returncode == 0, found.stderr
    assert f"1 commit(s) more than {good}" in found.stdout
    assert "asked for it" in found.stdout
    assert max(map(len, found.stdout.splitlines())) <= 80
