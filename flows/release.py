"""A release from commit to customers: cut, test, build, then one environment after another."""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from blocks.shop import open_shop
from domain.journal import Release
from flows.route import along_the_route
from tasks.cut import ReleaseRequest, cut
from tasks.runs import name_run, this_run


@flow(name="release", flow_run_name="release {request.ref}", log_prints=True)
def release(shop: str, request: ReleaseRequest) -> State[Any]:
    """Ends as Completed, Refused (nothing was changed), Restored or Halted (a person is needed)."""
    live, run = open_shop(shop), this_run()

    def made() -> Release:
        found = cut(live, request, run)
        name_run(f"{found.version} → {found.route[-1]}")
        return found

    return along_the_route(live, run, made)
