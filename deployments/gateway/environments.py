"""Environments in the gateway: what serves, who holds it still, what promotions freeze."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from blocks.shop import Live
from deployments.calendar import view_of
from deployments.gateway.identity import needs, signed
from deployments.gateway.pages import own_form, shown
from deployments.gateway.starts import permit
from domain.access.people import Signed
from domain.calendar.freeze import Undertaking
from domain.errors import BadInput, Refused
from tasks.freeze import undertaken, warned

Anybody = Annotated[Signed, Depends(signed)]
Stopper = Annotated[Signed, Depends(needs("stop"))]
WIDTHS = (390, 1280)


def router(live: Live) -> APIRouter:
    """Pages under /gate/environments; the same by API, in JSON, at /environments."""
    made = APIRouter()

    @made.get("/gate/environments")
    def page(request: Request, who: Anybody) -> Response:
        return _page(live, request, who, "")

    @made.post("/gate/environments/{name}/{act}")
    async def pressed(name: str, act: str, request: Request, who: Stopper) -> Response:
        form = await own_form(request)
        try:
            await run_in_threadpool(_held, live, who, (name, act, form.get("reason", "")))
        except Refused as refusal:
            return await run_in_threadpool(_page, live, request, who, str(refusal))
        return RedirectResponse("/gate/environments", 303)

    @made.get("/gate/calendar/{width}.svg")
    def picture(width: int, _: Anybody) -> Response:
        wide = min(WIDTHS, key=lambda one: abs(one - width))
        return Response(view_of(live).svg(wide), media_type="image/svg+xml")

    @made.get("/gate/calendar.ics")
    def dates(_: Anybody) -> Response:
        return Response(view_of(live).ics(), media_type="text/calendar")

    @made.get("/environments")
    def told(_: Anybody) -> list[dict[str, Any]]:
        """What serves where, what is under way, who holds it, what the calendar says."""
        return [_told(live, name) for name in live.shop.environments]

    return made


def _page(live: Live, request: Request, who: Signed, sentence: str) -> Response:
    places = [_told(live, name) for name in live.shop.environments]
    may = {name: who.may("stop", name, _all(live)) for name in live.shop.environments}
    drawn = live.calendars is not None
    said: dict[str, Any] = {"places": places, "may": may, "drawn": drawn, "sentence": sentence}
    return shown(request, "environments.html", **said)


def _told(live: Live, name: str) -> dict[str, Any]:
    serving = live.ledger.deployments.serving(name)
    moving = [one for one in live.ledger.deployments.unfinished() if one.environment == name]
    return {
        "name": name,
        "serving": {service: one.version for service, one in sorted(serving.items())},
        "under_way": [f"{one.version}: {one.state}" for one in moving],
        "held": live.ledger.pauses.held_by(name),
        "calendar": list(warned(live, _release(live, name))),
    }


def _release(live: Live, name: str) -> Undertaking:
    """Of everything: what a release would be told now."""
    return undertaken(live, "release", name, _all(live))


def _held(live: Live, who: Signed, said: tuple[str, str, str]) -> None:
    """Refused where it is not permitted, or for an act that is none."""
    name, act, reason = said
    live.environment(name)
    permit(who, "stop", (name,), _all(live))
    acts = {"hold": live.ledger.pauses.hold, "let-go": live.ledger.pauses.let_go}
    if act not in acts:
        raise BadInput(f"act is {act[:40]!r}, known are {', '.join(acts)}")
    acts[act](name, who.person.name, reason)


def _all(live: Live) -> tuple[str, ...]:
    return tuple(live.shop.services)
