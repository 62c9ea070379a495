"""What may be started, by whom, and what of a request reaches Prefect."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from deployments.gateway.gate import Behind
from domain.access.people import Signed
from domain.access.roles import Permission
from domain.errors import BadInput, Refused
from domain.request import route_until


@dataclass(frozen=True)
class Start:
    """A flow that people start: the permission, and the field that says where.

    ``signed`` tells whether its form has a name on it.
    """

    permission: Permission
    where: Literal["until", "environment", "to_environment"]
    signed: bool = True


STARTS: Mapping[str, Start] = {
    "release": Start("release", "until"),
    "promote": Start("release", "to_environment"),
    "hotfix": Start("release", "until"),
    "rollback": Start("rollback", "environment"),
    "restore": Start("rollback", "environment"),
    "drill": Start("rollback", "environment"),
    "make-good": Start("rollback", "environment", signed=False),
}
"""Flows by name; each has one deployment, named after the shop. Everything else is refused."""

KEPT = ("name", "idempotency_key", "tags")
KEPT_OF_STATE = ("type", "message", "state_details")


def start_of(flow: str, deployment: str, behind: Behind) -> Start:
    """Refused for a deployment that is not in the shop's own list."""
    start = STARTS.get(flow)
    if start is None or deployment != behind.shop:
        known = ", ".join(f"{one}/{behind.shop}" for one in STARTS)
        raise Refused(f"{flow}/{deployment} is not started by people here; known are {known}")
    return start


def places(start: Start, request: Mapping[str, Any], route: tuple[str, ...]) -> tuple[str, ...]:
    """Every environment that the request is for; where none is named, all of the route."""
    named = request.get(start.where) or ""
    if not isinstance(named, str):
        raise BadInput(f"{start.where} is {named!r}, it has to be an environment's name")
    if start.where == "until":
        return route_until(route, named)
    return (named,) if named else route


def chosen_services(request: Mapping[str, Any], known: tuple[str, ...]) -> tuple[str, ...]:
    """Those named; a hotfix names one; with none, every one there is."""
    named = request.get("services") or [one for one in (request.get("service"),) if one]
    if not isinstance(named, list) or not all(isinstance(one, str) for one in named):
        raise BadInput(f"services is {str(named)[:100]!r}, it has to be a list of names")
    return tuple(named) or known


def permit(
    signed: Signed, permission: Permission, environments: tuple[str, ...], services: tuple[str, ...]
) -> None:
    """Refused, naming the environments, unless every one of them is permitted."""
    denied = [one for one in environments if not signed.may(permission, one, services)]
    if denied or not environments:
        raise Refused(
            f"{signed.person.name} may not {permission} {', '.join(services)} in"
            f" {', '.join(denied) or 'any environment'}; an admin can grant it"
        )


def request_of(parameters: object) -> dict[str, Any]:
    """The form itself."""
    request = parameters.get("request") if isinstance(parameters, dict) else None
    if not isinstance(request, dict):
        raise BadInput("parameters.request is missing: it is the form that starts a run")
    return request


def started(
    body: Mapping[str, Any], start: Start, signed: Signed, behind: Behind
) -> dict[str, Any]:
    """The body as Prefect gets it: nothing but what a form sends, under the person's own name."""
    given = body.get("parameters")
    request, who = dict(request_of(given)), signed.person.name
    shop = given.get("shop", behind.shop) if isinstance(given, dict) else behind.shop
    if shop != behind.shop:
        raise BadInput(f"parameters.shop is {str(shop)[:100]!r}, this gateway is {behind.shop}'s")
    permit(
        signed,
        start.permission,
        places(start, request, behind.route),
        chosen_services(request, behind.services),
    )
    if start.signed:
        request["requested_by"] = who
    kept = {name: body[name] for name in KEPT if body.get(name) is not None}
    if "idempotency_key" in kept:
        kept["idempotency_key"] = f"{who}:{kept['idempotency_key']}"
    return {**kept, **_scheduled(body), "parameters": {"shop": shop, "request": request}}


def _scheduled(body: Mapping[str, Any]) -> dict[str, Any]:
    """When to run; a run that begins in any other state is refused."""
    state = body.get("state")
    if state is None:
        return {}
    if not isinstance(state, dict) or state.get("type") != "SCHEDULED":
        raise BadInput(f"state is {str(state)[:100]!r}, a new run can only be SCHEDULED")
    kept = {name: state[name] for name in KEPT_OF_STATE if name in state}
    details = kept.get("state_details")
    when = details.get("scheduled_time") if isinstance(details, dict) else None
    return {"state": {**kept, "state_details": {"scheduled_time": when} if when else {}}}
