"""What a shop has at Prefect: deployments, and a run that waits for an answer."""

import json
import uuid
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.deployments.gateway.street import SHOP

FLOWS = ("release", "promote", "rollback", "make-good", "nightly")
FORM = {
    "title": "Parameters",
    "type": "object",
    "properties": {
        "shop": {"type": "string", "title": "shop", "position": 0},
        "request": {"$ref": "#/definitions/Request", "title": "request", "position": 1},
    },
    "definitions": {"Request": {
        "title": "Request", "type": "object", "properties": {
            "ref": {"type": "string", "title": "Branch, tag or commit", "default": "main"},
            "requested_by": {"type": "string", "title": "Your name"},
        },
    }},
}  # fmt: skip
ANSWER = {
    "title": "Answer", "type": "object", "required": ["decision", "decided_by"], "properties": {
        "decision": {"type": "string", "title": "Decision", "enum": ["approve now", "reject"]},
        "decided_by": {"type": "string", "title": "Your name"},
        "code": {"type": "string", "title": "One-time code", "default": ""},
    },
}  # fmt: skip


@dataclass(frozen=True)
class PrefectShop:
    """Its Prefect, asked directly, as only this machine can."""

    direct: httpx.Client
    deployments: dict[str, str]
    responses: dict[str, str] = field(default_factory=dict)

    def run(self, number: str) -> dict[str, Any]:
        return self.asked("GET", f"/api/flow_runs/{number}")

    def asked(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.direct.request(method, path, json=body)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def started(self, flow: str, **request: Any) -> str:
        body = {"parameters": {"shop": SHOP, "request": request}}
        path = f"/api/deployments/{self.deployments[flow]}/create_flow_run"
        return str(self.asked("POST", path, body)["id"])

    def waiting(self, flow: str = "release", **request: Any) -> str:
        """A run that is suspended with a form, as ``suspend_flow_run`` leaves it."""
        run, key = self.started(flow, **request), f"schema-{uuid.uuid4().hex}"
        keyset = {one: f"suspended-{key}-{one}" for one in ("schema", "response", "description")}
        for name, value in (("schema", ANSWER), ("description", "## A plan to read")):
            self._input(run, keyset[name], value)
        self.responses[run] = keyset["response"]
        details = {"pause_timeout": "2099-01-01T00:00:00Z", "pause_reschedule": True,
                   "pause_key": key, "run_input_keyset": keyset}  # fmt: skip
        self._state(run, {"type": "RUNNING"})
        self._state(run, {"type": "PAUSED", "name": "Suspended", "state_details": details})
        return run

    def answer(self, run: str) -> Any:
        """What the waiting run was told."""
        return self.asked("GET", f"/api/flow_runs/{run}/input/{self.responses[run]}")

    def _state(self, run: str, state: dict[str, Any]) -> None:
        self.asked("POST", f"/api/flow_runs/{run}/set_state", {"state": state, "force": True})

    def _input(self, run: str, key: str, value: Any) -> None:
        body = {"key": key, "value": json.dumps(value)}
        self.asked("POST", f"/api/flow_runs/{run}/input", body)


def prefect_shop(url: str) -> PrefectShop:
    """Declares every flow's deployment, as ``tradewind apply`` does."""
    direct = httpx.Client(base_url=url, timeout=30)
    shop = PrefectShop(direct, {})
    pool = direct.post("/api/work_pools/", json={"name": "tradewind", "type": "process"})
    assert pool.status_code in (201, 409), pool.text
    for flow in FLOWS:
        made = shop.asked("POST", "/api/flows/", {"name": flow})
        body = {"name": SHOP, "flow_id": made["id"], "work_pool_name": "tradewind",
                "parameters": {"shop": SHOP}, "parameter_openapi_schema": FORM}  # fmt: skip
        shop.deployments[flow] = shop.asked("POST", "/api/deployments/", body)["id"]
    return shop
