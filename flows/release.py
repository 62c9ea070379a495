"""A release from commit to customers: cut, test, build, then one environment after another."""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from blocks.shop import Live, open_shop
from domain.errors import Fenced
from domain.journal import Release
from flows.bring import bring
from tasks.build import build_all, building
from tasks.cut import ReleaseRequest, cut
from tasks.deployment import executor
from tasks.ending import ended
from tasks.prepare import Leg
from tasks.runs import name_run, this_run
from tasks.test import test_all


@flow(name="release", flow_run_name="release {request.ref}", log_prints=True)
def release(shop: str, request: ReleaseRequest) -> State[Any]:
    """Ends as Completed, Refused (nothing was changed), Restored or Halted (a person is needed)."""
    live, run = open_shop(shop), this_run()
    try:
        made = cut(live, request, run)
        name_run(f"{made.version} → {made.route[-1]}")
        test_and_build(live, made, run)
        for environment in made.route:
            bring(live, Leg(made.version, environment, run, made.requested_by))
    except Fenced:
        raise
    except Exception as error:
        return ended(live, run, error)
    return ended(live, run)


def test_and_build(live: Live, made: Release, run: str) -> None:
    """Every service's gate, then one artifact each, and the manifest."""
    with building(live, made, executor(run)) as journal:
        evidence = test_all(live, made, journal)
        build_all(live, made, journal, evidence)
