"""Short ways into Prefect's pages: to the form that starts something, to runs that matter."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from deployments.gateway.identity import gate_of, needs
from deployments.gateway.starts import STARTS, start_of
from domain.access.people import Signed

Viewer = Annotated[Signed, Depends(needs("view"))]

router = APIRouter(prefix="/gate")


@router.get("/start/{flow}")
async def form(flow: str, request: Request, _: Viewer) -> Response:
    """The form of a flow, under an address that stays the same."""
    gate = gate_of(request)
    start_of(flow, gate.behind.shop, gate.behind)
    number = await gate.prefect.form(flow, gate.behind.shop)
    return RedirectResponse(f"/v2/deployments/deployment/{number}/run", 303)


@router.get("/runs")
async def runs(request: Request, _: Viewer) -> Response:
    """What people started in the last days, without the upkeep of every minute and its parts."""
    chosen = ",".join(map(str, await gate_of(request).prefect.flows([*STARTS])))
    return RedirectResponse(f"/v2/runs?hide-subflows=true&range=past-7-days&flows={chosen}", 303)


def startable(who: Signed) -> list[str]:
    """Flows whose form somebody may send for something at least."""
    return [flow for flow, start in STARTS.items() if who.may_anywhere(start.permission)]
