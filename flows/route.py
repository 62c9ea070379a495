"""A release along its route: tested and built once, then one environment after another."""

from collections.abc import Callable
from typing import Any

from prefect.client.schemas.objects import State

from blocks.logs import noted
from blocks.shop import Live
from domain.errors import Fenced
from domain.journal import Release
from flows.bring import bring
from tasks.build import build_all, building
from tasks.deployment import executor
from tasks.ending import ended
from tasks.notify import facts_of, tell
from tasks.prepare import Leg
from tasks.test import test_all


def along_the_route(live: Live, run: str, cut: Callable[[], Release]) -> State[Any]:
    """Ends as Completed, Refused (nothing was changed), Restored or Halted (a person is needed)."""
    try:
        made = cut()
        noted(release=made.version)
        tell(live, "started", made.version, facts_of(live, made))
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
