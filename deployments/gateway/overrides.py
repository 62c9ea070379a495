"""Freezes lifted by API: one person asks, a second one agrees, each with a second factor."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from blocks.ledger.overrides import Lifting
from blocks.shop import Live
from deployments.gateway.identity import gate_of, needs
from deployments.gateway.starts import permit
from domain.access.people import Signed
from domain.calendar.overrides import Override
from domain.errors import BadInput, Refused

Lifter = Annotated[Signed, Depends(needs("override"))]
Second = Annotated[Signed, Depends(needs("approve"))]


class Wanted(BaseModel):
    """A freeze that somebody wants lifted."""

    model_config = ConfigDict(extra="forbid")
    environment: str
    events: list[str]
    reason: str = Field(max_length=500)
    until: datetime


def router(live: Live) -> APIRouter:
    """POST /overrides asks, POST /overrides/{number}/agree is the second person."""
    made = APIRouter()

    @made.post("/overrides", status_code=201)
    def override(asked: Wanted, request: Request, who: Lifter) -> dict[str, Any]:
        """Asks that a freeze be lifted, with a second factor just proved."""
        live.environment(asked.environment)
        permit(_fresh(request, who), "override", (asked.environment,), tuple(live.shop.services))
        name, until = who.person.name, _aware(asked.until)
        said = Override(name, "", asked.reason, until, tuple(asked.events))
        return _lifted(live.ledger.overrides.ask(asked.environment, said))

    @made.post("/overrides/{number}/agree")
    def agree(number: int, request: Request, who: Second) -> dict[str, Any]:
        """The second person's yes, with a second factor just proved."""
        asked = live.ledger.overrides.get(number)
        permit(_fresh(request, who), "approve", (asked.environment,), tuple(live.shop.services))
        return _lifted(live.ledger.overrides.agree(number, who.person.name))

    return made


def _fresh(request: Request, who: Signed) -> Signed:
    """Lifting a freeze takes a second factor that was just proved."""
    seconds = gate_of(request).settings.factor_seconds
    if not who.factor_fresh(datetime.now(UTC), seconds):
        raise Refused("prove your second factor first, on the page /gate/")
    return who


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise BadInput(f"until is {moment.isoformat()}, in no time zone: an offset is needed")
    return moment.astimezone(UTC)


def _lifted(made: Lifting) -> dict[str, Any]:
    return {"id": made.id, "environment": made.environment, **vars(made.override)}
