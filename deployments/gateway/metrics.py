"""GET /metrics: the ledger for Prometheus, in its text format; whoever may view may read it."""

from typing import Annotated

from fastapi import APIRouter, Depends
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.responses import Response

from blocks.shop import Live
from deployments.gateway.identity import needs
from deployments.gateway.meters import Meters
from domain.access.people import Signed

Viewer = Annotated[Signed, Depends(needs("view"))]


def router(live: Live) -> APIRouter:
    """Of the environments that whoever asks may view, as they are at this moment."""
    made = APIRouter()

    @made.get("/metrics")
    def metrics(who: Viewer) -> Response:
        places = tuple(name for name in live.shop.environments if may_view(live, who, name))
        registry = CollectorRegistry(auto_describe=False)
        registry.register(Meters(live, places))
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return made


def may_view(live: Live, who: Signed, environment: str) -> bool:
    """Any service there, as on the dashboard."""
    return any(who.may("view", environment, (one,)) for one in live.shop.services)
