"""Executors that die, sleep or are cancelled: somebody else brings their work to its end."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import psutil
import psycopg
import pytest
from prefect.client.orchestration import get_client
from prefect.states import Cancelling

from blocks import prefect_runs as runs
from deployments.settings import remembered
from deployments.stack.processes import until
from domain.errors import Fenced
from domain.journal import Deployment
from flows.deploy import carry
from tasks.deployment import scope_of
from tests.flows.world import Settings, World, opened, smallest, soon_taken_over

pytestmark = [pytest.mark.story, pytest.mark.long, pytest.mark.customers, pytest.mark.timeout(400)]

RUN_SECONDS = 120.0


def slow(settings: Settings) -> None:
    """The last weight bakes long enough to be caught in the middle."""
    smallest(settings)
    soon_taken_over(settings)
    settings["environments"]["production"]["canary"]["bake_seconds"] = 10


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with opened(tmp_path_factory.mktemp("reconcile") / "shop", slow) as opening:
        assert opening.released().state == "released"
        opening.street.open_doors()
        yield opening
        opening.street.close_doors()


def test_one_who_slept_through_its_lease_is_fenced(world: World) -> None:
    world.sample.branch("gift-notes", "0001")
    world.sample.merge("gift-notes")
    run, row = baking(world)

    with asleep(world, run):
        assert until(lambda: not world.live.ledger.leases.held("production"), RUN_SECONDS)
        reconciled(world)
        assert world.live.ledger.deployments.get(row.id).state == "done"
        epoch = world.live.ledger.deployments.get(row.id).epoch

    assert until(lambda: finished(world, run), RUN_SECONDS)
    release = world.release(run)
    assert release is not None
    assert release.state == "released"
    assert world.live.ledger.deployments.get(row.id).epoch == epoch
    assert writes(world, row, "done: watch storefront 100") == 1
    assert world.weights() == {f"storefront@{row.version}": 100}
    assert all(line["outcome"] != "dropped" for line in world.street.seen())


def test_a_second_executor_of_the_same_deployment_is_fenced(world: World) -> None:
    touch(world, "second")
    run, row = baking(world)

    with pytest.raises(Fenced, match="held by another executor"):
        carry(world.live, row.id, "somebody else")

    assert runs.follow(run, RUN_SECONDS).completed
    assert writes(world, row, "done: watch storefront 100") == 1


def test_what_a_cancelled_run_began_is_taken_back(world: World) -> None:
    before = world.weights()
    touch(world, "cancelled")
    run, row = baking(world)

    with get_client(sync_client=True) as client:
        client.set_flow_run_state(run, Cancelling())
    assert until(lambda: not world.live.ledger.leases.held("production"), RUN_SECONDS)
    reconciled(world)

    assert world.live.ledger.deployments.get(row.id).state == "rolled back"
    assert until(lambda: finished(world, run), RUN_SECONDS)
    assert world.weights() == before


def touch(world: World, what: str) -> None:
    """Commits a storefront that differs in a comment."""
    file = world.folder / "storefront" / "__init__.py"
    file.write_text(f"{file.read_text()}# {what}\n")
    world.sample.commit(what)


def baking(world: World) -> tuple[UUID, Deployment]:
    """A release whose candidate has all traffic, and is being watched."""
    run = world.start()

    def watched() -> bool:
        release = world.release(run)
        if release is None:
            return False
        rows = world.live.ledger.deployments.of_release(release.version)
        steps = [step.name for row in rows for step in world.live.ledger.steps(scope_of(row))]
        return "watch storefront 100" in steps

    assert until(watched, RUN_SECONDS), runs.state(run)
    release = world.release(run)
    assert release is not None
    return run, world.deployment(release.version, "production")


@contextmanager
def asleep(world: World, run: UUID) -> Iterator[None]:
    """The run's processes are stopped, and go on afterwards."""
    processes = executing(world, run)
    assert processes
    for process in processes:
        process.send_signal(signal.SIGSTOP)
    yield
    for process in processes:
        process.send_signal(signal.SIGCONT)


def executing(world: World, run: UUID) -> list[psutil.Process]:
    """The worker's descendants that execute this run."""
    worker = psutil.Process(remembered(world.live.state)["worker"]["pid"])
    return [
        process
        for process in worker.children(recursive=True)
        if process.environ().get("PREFECT__FLOW_RUN_ID") in (str(run), run.hex)
    ]


def reconciled(world: World) -> None:
    shop = world.live.shop.shop
    ended = runs.follow(runs.start(f"reconcile/{shop}", {"shop": shop}), RUN_SECONDS)
    assert ended.completed, ended


def finished(world: World, run: UUID) -> bool:
    """By the ledger; a run that is idle needs a reconciliation to go on."""
    release = world.release(run)
    if release is not None and release.finished_at is not None:
        return True
    reconciled(world)
    return False


def writes(world: World, row: Deployment, action: str) -> int:
    with psycopg.connect(world.live.ledger.url) as connection:
        found = connection.execute(
            'SELECT count(*) FROM audit WHERE action = %s AND "row" LIKE %s',
            (action, f"steps {scope_of(row)} %"),
        ).fetchone()
    assert found is not None
    return int(found[0])
