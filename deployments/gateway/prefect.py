"""Prefect behind the gateway: asked what a call is about, and given the calls that pass."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx

from domain.errors import BadInput, Unavailable

ANSWER_SECONDS = 60.0
MOST_WAITING = 50


@dataclass(frozen=True)
class Deployed:
    """A deployment by its two names."""

    flow: str
    name: str


@dataclass(frozen=True)
class Run:
    """A flow run that a person may act on, and what it was started with."""

    id: UUID
    name: str
    deployment: Deployed
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class Call:
    """One call as it goes to Prefect; ``target`` has the path and the query."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""


class Prefect:
    """One pool of connections, opened at the first call."""

    def __init__(self, url: str, auth: str = "") -> None:
        self.url = url.rstrip("/")
        self.auth = auth
        limits = httpx.Limits(max_connections=100, max_keepalive_connections=20)
        self._client = httpx.AsyncClient(
            base_url=self.url, timeout=ANSWER_SECONDS, limits=limits, trust_env=False
        )

    async def send(self, call: Call) -> httpx.Response:
        """The answer, whose body is still to be read and which is to be closed."""
        headers = {**call.headers, **self._own()}
        request = self._client.build_request(
            call.method, call.target, headers=headers, content=call.body or None
        )
        try:
            return await self._client.send(request, stream=True)
        except httpx.HTTPError as error:
            raise Unavailable(f"Prefect does not answer: {type(error).__name__}") from error

    async def close(self) -> None:
        await self._client.aclose()

    async def deployment(self, number: UUID) -> Deployed:
        """BadInput when there is none."""
        found = await self._asked("GET", f"/api/deployments/{number}")
        flow = await self._asked("GET", f"/api/flows/{found['flow_id']}")
        return Deployed(flow["name"], found["name"])

    async def run(self, number: UUID) -> Run:
        """BadInput when there is none, or when it is a part of another run."""
        found = await self._asked("GET", f"/api/flow_runs/{number}")
        if found["deployment_id"] is None:
            raise BadInput(f"run {number} is a part of another run: act on that one")
        deployed = await self.deployment(UUID(found["deployment_id"]))
        return Run(number, found["name"], deployed, found["parameters"])

    async def waiting(self) -> list[tuple[UUID, str]]:
        """Runs that wait for a person, the newest first: id and name."""
        chosen = {"state": {"type": {"any_": ["PAUSED"]}}}
        asked = {"flow_runs": chosen, "sort": "START_TIME_DESC", "limit": MOST_WAITING}
        found = await self._asked("POST", "/api/flow_runs/filter", asked)
        return [(UUID(one["id"]), one["name"]) for one in found]

    async def form(self, flow: str, name: str) -> UUID:
        """The deployment of these two names, whose form people fill. BadInput without one."""
        found = await self._asked("GET", f"/api/deployments/name/{flow}/{name}")
        return UUID(found["id"])

    async def flows(self, names: Sequence[str]) -> list[UUID]:
        """Those of these names that ever ran or were declared."""
        asked = {"flows": {"name": {"any_": [*names]}}}
        return [UUID(one["id"]) for one in await self._asked("POST", "/api/flows/filter", asked)]

    async def _asked(self, method: str, path: str, body: Any = None) -> Any:
        try:
            answer = await self._client.request(method, path, json=body, headers=self._own())
        except httpx.HTTPError as error:
            raise Unavailable(f"Prefect does not answer: {type(error).__name__}") from error
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise BadInput(f"{path.rsplit('/', 1)[-1]} is not known to Prefect")
        if not answer.is_success:
            raise Unavailable(f"Prefect answered {answer.status_code} to {method} {path}")
        return answer.json()

    def _own(self) -> dict[str, str]:
        if not self.auth:
            return {}
        return {"authorization": f"Basic {base64.b64encode(self.auth.encode()).decode()}"}
