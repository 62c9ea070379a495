"""A hotfix: one service, a second pair of eyes, the shortest safe way, and a deadline."""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from blocks.shop import open_shop
from domain.journal import Release
from flows.route import along_the_route
from tasks.hotfix import HotfixRequest, cut_hotfix
from tasks.runs import name_run, this_run


@flow(name="hotfix", flow_run_name="hotfix {request.service} {request.ref}", log_prints=True)
def hotfix(shop: str, request: HotfixRequest) -> State[Any]:
    """As a release, with a shortened canary; into production a second person approves it."""
    live, run = open_shop(shop), this_run()

    def made() -> Release:
        found = cut_hotfix(live, request, run)
        name_run(f"hotfix {found.version}: {request.service}, {request.incident}")
        return found

    return along_the_route(live, run, made)
