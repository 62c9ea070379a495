"""Every call of Prefect's own OpenAPI document, beside what each role may do with it.

After Prefect changed: ``python -m tests.domain.access.matrix > tests/domain/access/matrix.txt``,
and read what is different before it is kept.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache

from prefect.server.api.server import create_app

from domain.access.prefect_api import Rule, rule
from domain.access.roles import ROLES, Grant, allowed

UUID = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
SAMPLES = {"id": UUID, "schedule_id": UUID, "lease_id": UUID, "checksum": "sha256:" + "a" * 64}
READS = ("filter", "count", "paginate", "history", "lateness", "validate", "concurrency_status",
         "count-task-runs", "count-deployments", "next-runs", "counts")  # fmt: skip
CHANGES = ("POST /deployments/{id}/create_flow_run", "POST /flow_runs/{id}/resume",
           "POST /flow_runs/{id}/set_state")  # fmt: skip

Ask = Callable[[str, str], Rule | None]


@cache
def calls() -> tuple[tuple[str, str], ...]:
    """Method and path of each, by path."""
    paths = create_app().openapi()["paths"]
    return tuple(
        sorted(((m.upper(), p) for p, ms in paths.items() for m in ms), key=lambda c: c[::-1])
    )


def concrete(path: str) -> str:
    """The path with samples in its places, as a browser would ask for it."""
    return "/api" + re.sub(r"{(\w+)}", lambda found: SAMPLES.get(found[1], "a-name.1"), path)


def passing(method: str, path: str, ask: Ask = rule) -> tuple[str, ...]:
    """The roles that pass with this call, each granted everywhere; needing nothing is nobody's."""
    found = ask(method, concrete(path))
    return tuple(role for role in ROLES if found and allowed((Grant(role),), found.permission))


def wrong(ask: Ask = rule) -> Iterator[str]:
    """Passes where none may pass, by what the call is and not by our table."""
    for method, path in calls():
        if may_never_pass(method, path) and (roles := passing(method, path, ask)):
            yield f"{method} {path}: {', '.join(roles)}"


def may_never_pass(method: str, path: str) -> bool:
    """It changes something, apart from the three known changes, or shows a block's secrets."""
    if "block_documents" in path:
        return True
    reads = method == "GET" or (method == "POST" and _reads(path))
    return not reads and f"{method} {path}" not in CHANGES


def _reads(path: str) -> bool:
    parts = path.split("/")
    return parts[-1] in READS or parts[-2] == "count-by"


def table(ask: Ask = rule) -> str:
    return "".join(_line(method, path, ask) for method, path in calls())


def _line(method: str, path: str, ask: Ask) -> str:
    found = ask(method, concrete(path))
    said = f"{found.kind:<10} {' '.join(passing(method, path, ask))}" if found else "refused"
    return f"{method:<6} {path:<75} {said}\n"


if __name__ == "__main__":
    print(table(), end="")
