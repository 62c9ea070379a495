"""Which calls of Prefect's REST API pass the gateway, and what they need; all others are refused.

A call that only looks passes where it is named below. Of those that change something there are
three: start a run of a deployment, answer a waiting run, cancel a run. Documents of blocks hold
secrets, so nobody reads them through here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from domain.access.roles import Permission

Kind = Literal["read", "create_run", "resume", "cancel"]


@dataclass(frozen=True)
class Rule:
    """How a call is treated, and the permission without which it is refused at once.

    After this first look the gateway looks up what a run is of and for: ``create_run`` and
    ``cancel`` need what its flow needs, ``resume`` what its answer needs; and a ``cancel`` sets no
    state but CANCELLING.
    """

    kind: Kind
    permission: Permission


LOOKS: tuple[str, ...] = (
    "GET /admin/version",
    "GET /artifacts/{id}",
    "GET /artifacts/{name}/latest",
    "POST /artifacts/count",
    "POST /artifacts/filter",
    "POST /artifacts/latest/count",
    "POST /artifacts/latest/filter",
    "GET /automations/{id}",
    "GET /automations/related-to/{name}",
    "POST /automations/count",
    "POST /automations/filter",
    "GET /block_capabilities/",
    "GET /block_schemas/{id}",
    "GET /block_schemas/checksum/{checksum}",
    "POST /block_schemas/filter",
    "GET /block_types/{id}",
    "GET /block_types/slug/{name}",
    "POST /block_types/filter",
    "GET /collections/views/{name}",
    "GET /concurrency_limits/{id}",
    "GET /concurrency_limits/tag/{name}",
    "POST /concurrency_limits/filter",
    "GET /csrf-token",
    "GET /deployments/{id}",
    "GET /deployments/{id}/schedules",
    "GET /deployments/{id}/work_queue_check",
    "GET /deployments/name/{name}/{name}",
    "POST /deployments/count",
    "POST /deployments/filter",
    "POST /deployments/paginate",
    "GET /events/filter/next",
    "POST /events/count-by/{name}",
    "POST /events/filter",
    "GET /flow_run_states/",
    "GET /flow_run_states/{id}",
    "GET /flow_runs/{id}",
    "GET /flow_runs/{id}/graph",
    "GET /flow_runs/{id}/graph-v2",
    "GET /flow_runs/{id}/input/{name}",
    "GET /flow_runs/{id}/logs/download",
    "POST /flow_runs/count",
    "POST /flow_runs/filter",
    "POST /flow_runs/history",
    "POST /flow_runs/lateness",
    "POST /flow_runs/paginate",
    "GET /flows/{id}",
    "GET /flows/name/{name}",
    "POST /flows/count",
    "POST /flows/filter",
    "POST /flows/paginate",
    "GET /health",
    "GET /hello",
    "POST /logs/filter",
    "GET /ready",
    "GET /saved_searches/{id}",
    "POST /saved_searches/filter",
    "GET /task_run_states/",
    "GET /task_run_states/{id}",
    "GET /task_runs/{id}",
    "POST /task_runs/count",
    "POST /task_runs/filter",
    "POST /task_runs/history",
    "POST /task_runs/paginate",
    "POST /task_workers/filter",
    "POST /ui/flow_runs/count-task-runs",
    "POST /ui/flow_runs/history",
    "POST /ui/flows/count-deployments",
    "POST /ui/flows/next-runs",
    "POST /ui/task_runs/count",
    "POST /ui/task_runs/dashboard/counts",
    "GET /ui/task_runs/{id}",
    "GET /v2/concurrency_limits/{name}",
    "POST /v2/concurrency_limits/filter",
    "GET /variables/{id}",
    "GET /variables/name/{name}",
    "POST /variables/count",
    "POST /variables/filter",
    "GET /version",
    "GET /work_pools/{name}",
    "GET /work_pools/{name}/queues/{name}",
    "POST /work_pools/{name}/concurrency_status",
    "POST /work_pools/{name}/queues/filter",
    "POST /work_pools/{name}/workers/filter",
    "POST /work_pools/count",
    "POST /work_pools/filter",
    "GET /work_queues/{id}",
    "GET /work_queues/{id}/status",
    "GET /work_queues/name/{name}",
    "POST /work_queues/{id}/concurrency_status",
    "POST /work_queues/filter",
)
"""What either of Prefect's UIs asks for to show something; changes nothing."""

RULES: Mapping[str, Rule] = {
    **{call: Rule("read", "view") for call in LOOKS},
    "GET /admin/settings": Rule("read", "manage"),
    "GET /admin/storage": Rule("read", "manage"),
    # runs patterns out of its body: for everybody who fills in forms, which no viewer does
    "POST /ui/schemas/validate": Rule("read", "stop"),
    "POST /deployments/{id}/create_flow_run": Rule("create_run", "release"),
    "POST /flow_runs/{id}/resume": Rule("resume", "approve"),
    "POST /flow_runs/{id}/set_state": Rule("cancel", "release"),
}

PLACES = {
    "{id}": r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "{checksum}": r"sha256:[0-9a-f]{64}",
    "{name}": r"[A-Za-z0-9_][A-Za-z0-9._:-]{0,199}",
}


def rule(method: str, path: str) -> Rule | None:
    """The rule for a concrete call such as ``POST /api/flow_runs/filter``; None: refused.

    The path is matched as Prefect would read it, decoded, and only if it is written in the one
    usual way: no dot segments, doubled or missing slashes, capitals or percent signs.
    """
    call = f"{method} {path.removeprefix('/api')}"
    if not path.startswith("/api/"):
        return None
    return RULES.get(call) or next(
        (found for pattern, found in _PATTERNS if pattern.fullmatch(call)), None
    )


def _pattern(call: str) -> re.Pattern[str]:
    """
    >>> bool(_pattern("GET /flows/name/{name}").fullmatch("GET /flows/name/release"))
    True
    """
    return re.compile("/".join(PLACES.get(part, re.escape(part)) for part in call.split("/")))


_PATTERNS = tuple((_pattern(call), found) for call, found in RULES.items() if "{" in call)
