"""The three things that change something at Prefect: start a run, answer one, cancel one.

Each gives the body as Prefect gets it; Refused or BadInput before anything reached Prefect.
"""

import json
from typing import Any
from uuid import UUID

from starlette.concurrency import run_in_threadpool

from deployments.gateway.bodies import json_of
from deployments.gateway.gate import Gate
from deployments.gateway.prefect import Run
from deployments.gateway.starts import (
    chosen_services,
    permit,
    places,
    request_of,
    start_of,
    started,
)
from domain.access.people import Signed
from domain.access.roles import Permission
from domain.errors import BadInput, Refused


async def created(gate: Gate, signed: Signed, number: UUID, body: bytes) -> bytes:
    """A run of a deployment in the shop's list, under the person's own name."""
    found = await gate.prefect.deployment(number)
    start = start_of(found.flow, found.name, gate.behind)
    return _written(started(json_of(body), start, signed, gate.behind))


async def resumed(gate: Gate, signed: Signed, number: UUID, body: bytes) -> bytes:
    """An answer, under the person's own name; its one-time code is proved and goes no further."""
    run = await gate.prefect.run(number)
    given = json_of(body).get("run_input")
    if given is not None and not isinstance(given, dict):
        raise BadInput("run_input has to be a form, or nothing")
    _permit_answer(gate, signed, run)
    answer, signed = await _proved(gate, signed, given)
    if answer is not None and run.deployment.flow != "rollback":
        answer["decided_by"] = signed.person.name
    told = await run_in_threadpool(gate.hooks.may_resume, signed, number, answer)
    return _written({"run_input": told})


async def cancelled(gate: Gate, signed: Signed, number: UUID, body: bytes) -> bytes:
    """Only towards CANCELLING, and never by force; whoever may start such a run may cancel it."""
    state = json_of(body).get("state")
    asked = state.get("type") if isinstance(state, dict) else None
    if asked != "CANCELLING":
        raise Refused(f"state is {str(asked)[:40]!r}, a person may only set CANCELLING")
    run = await gate.prefect.run(number)
    start = start_of(run.deployment.flow, run.deployment.name, gate.behind)
    request = request_of(run.parameters)
    where = places(start, request, gate.behind.route)
    permit(signed, start.permission, where, chosen_services(request, gate.behind.services))
    message = f"cancelled by {signed.person.name}"
    return _written({"state": {"type": "CANCELLING", "name": "Cancelling", "message": message}})


def _permit_answer(gate: Gate, signed: Signed, run: Run) -> None:
    """Choosing a rollback's version takes that permission; every other answer is an approval.

    It has to be permitted in one of the run's environments; the hook knows which of them waits.
    """
    start = start_of(run.deployment.flow, run.deployment.name, gate.behind)
    permission: Permission = "rollback" if run.deployment.flow == "rollback" else "approve"
    request = request_of(run.parameters)
    where = places(start, request, gate.behind.route)
    services = chosen_services(request, gate.behind.services)
    if not any(signed.may(permission, one, services) for one in where):
        permit(signed, permission, where, services)


async def _proved(
    gate: Gate, signed: Signed, given: dict[str, Any] | None
) -> tuple[dict[str, Any] | None, Signed]:
    """The answer without its code, and the person with the second factor just proved."""
    if not given or "code" not in given:
        return given, signed
    answer = {name: value for name, value in given.items() if name != "code"}
    code = str(given["code"]).strip()
    if code:
        signed = await run_in_threadpool(gate.people.fresh_factor, signed.session, code)
    return answer, signed


def _written(body: dict[str, Any]) -> bytes:
    return json.dumps(body).encode()
