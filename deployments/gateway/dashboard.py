"""The dashboard: in a minute what runs where, how healthy it is and what the last releases did."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from blocks.shop import Live
from deployments.gateway.board import DAYS, RUN, Board
from deployments.gateway.identity import gate_of, needs, signed
from deployments.gateway.pages import shown
from deployments.gateway.ways import startable
from deployments.gateway.words import states, words
from domain.access.people import Signed
from domain.dashboard.ages import age
from domain.dashboard.route import Room, route_picture
from domain.dashboard.timeline import Timeline, timeline

PAGE = "/gate/dashboard"
WIDTHS = {"wide": 1196, "small": 332}
"""Pixels that a picture has on a desk and on a phone; the style sheet shows the one that fits."""

FEW = 12
"""More services than these are folded away until somebody wants them."""

Anybody = Annotated[Signed, Depends(signed)]
Viewer = Annotated[Signed, Depends(needs("view"))]


def router(live: Live) -> APIRouter:
    """The page /gate/dashboard; the same for programs, in JSON, at /dashboard.json."""
    made = APIRouter()

    @made.get(PAGE)
    def page(request: Request, who: Anybody) -> Response:
        if not who.may_anywhere("view"):
            return RedirectResponse("/gate/", 303)
        return _page(Board(live, gate_of(request).people, who), request)

    @made.get("/dashboard.json")
    def told(request: Request, who: Viewer) -> dict[str, Any]:
        return Board(live, gate_of(request).people, who).told()

    return made


def _page(board: Board, request: Request) -> Response:
    accepted = request.headers.get("accept-language", "")
    said = {**words(accepted), **states(accepted)}
    return shown(
        request,
        "dashboard.html",
        who=board.who,
        board=board,
        age=_age(board, said),
        route=_route(board, said),
        timeline=_timeline(board, said),
        drawn=board.live.calendars is not None,
        word=lambda state: said.get(f"state {state}", state),
        days=DAYS,
        few=FEW,
        run=RUN,
        starts=startable(board.who),
    )


def _age(board: Board, said: Mapping[str, str]) -> Callable[[datetime], str]:
    """How long before now, or how long from now, in one's language."""

    def told(moment: datetime) -> str:
        number, unit = age(abs(board.facts.now - moment))
        return f"{number} {said[unit]}"

    return told


def _route(board: Board, said: Mapping[str, str]) -> list[dict[str, Any]]:
    """A picture for each width, of each version that is shown."""
    return [
        {
            "journey": one,
            **{name: Markup(route_picture(one, Room(said, width, RUN)))
               for name, width in WIDTHS.items()},
        }
        for one in board.journeys
    ]  # fmt: skip


def _timeline(board: Board, said: Mapping[str, str]) -> dict[str, Markup]:
    frames = {
        name: Timeline(board.facts.now, said, DAYS, width, RUN, board.places)
        for name, width in WIDTHS.items()
    }
    drawn = {name: timeline(board.facts.deployments, one) for name, one in frames.items()}
    return {name: Markup(one) for name, one in drawn.items()}
