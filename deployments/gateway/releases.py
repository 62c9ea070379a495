"""Releases by API: a release or a hotfix is started once, and followed to its end."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from blocks import prefect_runs as runs
from blocks.shop import Live
from deployments.gateway.identity import needs, signed
from deployments.gateway.starts import permit
from domain.access.people import Signed
from domain.hotfix import key as hotfix_key
from domain.request import route_until
from tasks.cut import ReleaseRequest
from tasks.hotfix import HotfixRequest
from tasks.starting import start_once

Releaser = Annotated[Signed, Depends(needs("release"))]
Anybody = Annotated[Signed, Depends(signed)]
Key = Annotated[str, Header(alias="Idempotency-Key", max_length=200)]


class Release(BaseModel):
    """What a release is asked for with; the name on it is that of who is signed in."""

    model_config = ConfigDict(extra="forbid")
    ref: str = Field(default="", max_length=200)
    services: list[str] = []
    until: str = ""
    reason: str = Field(default="", max_length=500)


class Hotfix(BaseModel):
    """The same of a hotfix."""

    model_config = ConfigDict(extra="forbid")
    service: str
    ref: str = Field(max_length=200)
    reason: str = Field(max_length=500)
    incident: str = Field(max_length=100)


def router(live: Live) -> APIRouter:
    """POST /releases and /hotfix answer 202 with a run; GET /releases/{run} says how it goes."""
    made = APIRouter()

    @made.post("/releases", status_code=202)
    def release(asked: Release, who: Releaser, key: Key = "") -> dict[str, Any]:
        """Starts a release; the same person's same `Idempotency-Key` is the same run."""
        return _followed(live, start_release(live, asked, who, key))

    @made.post("/hotfix", status_code=202)
    def hotfix(asked: Hotfix, who: Releaser) -> dict[str, Any]:
        """Starts a hotfix; the same service, commit and incident are the same run."""
        return _followed(live, start_hotfix(live, asked, who))

    @made.get("/releases/{run}")
    async def followed(run: UUID, _: Anybody) -> dict[str, Any]:
        """How a run goes: `state`, `version`, `message`, and `final` once it is over."""
        return await run_in_threadpool(_followed, live, run)

    return made


def start_release(live: Live, asked: Release, who: Signed, key: str) -> UUID:
    """With the same key, the same person's same run."""
    places = route_until(live.shop.route, asked.until)
    permit(who, "release", places, tuple(asked.services) or tuple(live.shop.services))
    named = {**asked.model_dump(), "ref": asked.ref or live.shop.branch}
    request = ReleaseRequest(**named, requested_by=who.person.name).model_dump()
    if key:
        return start_once(live, "release", request, f"{who.person.name}:{key}")
    parameters = {"shop": live.shop.shop, "request": request}
    return runs.start(f"release/{live.shop.shop}", parameters)


def start_hotfix(live: Live, asked: Hotfix, who: Signed) -> UUID:
    """The same fix of the same incident is the same run, whoever asks for it again."""
    live.service(asked.service)
    permit(who, "release", live.shop.route, (asked.service,))
    commit = live.repository.resolve(asked.ref)
    named = {**asked.model_dump(), "ref": commit, "requested_by": who.person.name}
    key = hotfix_key(live.shop.shop, asked.service, commit, asked.incident.strip())
    return start_once(live, "hotfix", HotfixRequest(**named).model_dump(), key)


def _followed(live: Live, run: UUID) -> dict[str, Any]:
    """``final`` is false while it is under way or waits for a person."""
    ended, release = runs.state(run), live.ledger.releases.of_flow_run(str(run))
    return {
        "run": str(run),
        "state": ended.name if ended else "Running",
        "version": release.version if release else "",
        "message": ended.message if ended else "",
        "final": bool(ended and not ended.waits),
    }
