"""Before production: whether the drills that were agreed were made, and went well."""

from collections.abc import Mapping
from typing import Any

from blocks.shop import Live
from domain.drills.judgement import Standing, refusals, warnings
from domain.drills.settings import place_of
from tasks.deployment import Deploying
from tasks.drill import declared
from tasks.drill_report import standing

NAME = "drills"


def undrilled(live: Live, version: str, environment: str) -> tuple[str, ...]:
    """Why this version may not go there; never against a hotfix."""
    found = _found(live, environment)
    if not found or live.ledger.hotfixes.of(version) is not None:
        return ()
    return refusals(declared(live), found)


def note_drills(under_way: Deploying) -> tuple[str, ...]:
    """What people should know although it stops nothing; it stays in the release's report."""
    found = _found(under_way.live, under_way.environment)
    if not found:
        return ()

    def noted() -> Mapping[str, Any]:
        return {"reasons": list(warnings(declared(under_way.live), found))}

    return tuple(under_way.step(NAME, noted)["reasons"])


def _found(live: Live, environment: str) -> tuple[Standing, ...]:
    """Only production waits for drills, and only where they were agreed."""
    if live.shop.drills is None or environment != live.shop.route[-1]:
        return ()
    return standing(live, place_of(live.shop.drills, live.shop.route))
