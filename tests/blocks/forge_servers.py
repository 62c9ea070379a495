"""Three forges over HTTP, with the official addresses and shapes, on one truth behind them."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

TOKEN = "a token of the forge"  # noqa: S105 of the servers below
PROJECT = "ann/shop"
START_SECONDS = 10.0
BOT = "helper[bot]"


@dataclass
class Pull:
    """A change: ``approvals`` are (login, head, official), in the order they were given."""

    number: int
    head: str
    target: str = "main"
    merged_as: str = ""
    own: bool = True
    author: str = "ann"
    approvals: list[tuple[str, str, bool]] = field(default_factory=list)


@dataclass
class Truth:
    """What is so at the forge; ``away`` answers are 503 first, ``page`` rows go on a page."""

    parents: dict[str, str] = field(default_factory=dict)
    branches: dict[str, tuple[str, bool]] = field(default_factory=dict)
    ruled: set[str] = field(default_factory=set)
    writers: set[str] = field(default_factory=lambda: {"ann", "bo", "cy", BOT})
    readers: set[str] = field(default_factory=lambda: {"eve"})
    pulls: dict[int, Pull] = field(default_factory=dict)
    checks: list[tuple[str, str, str]] = field(default_factory=list)
    told: list[dict[str, Any]] = field(default_factory=list)
    deployments: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    away: int = 0
    away_status: int = 503
    page: int = 2
    answers: dict[str, Any] = field(default_factory=dict)

    def become(self, other: "Truth") -> None:
        """A server that is running goes on with another truth."""
        self.__dict__.update(other.__dict__)

    def line(self, commit: str) -> list[str]:
        """The commit and its ancestors."""
        found = [commit]
        while found[-1] in self.parents:
            found.append(self.parents[found[-1]])
        return found

    def merged(self, commit: str) -> list[Pull]:
        return [one for one in self.pulls.values() if one.merged_as == commit]


Handler = Callable[[Request], Any]


def served(truth: Truth, path: str, answer: Callable[..., Any], method: str = "GET") -> Route:
    """A route that checks the token, is away when the truth says so, and pages lists."""

    async def endpoint(request: Request) -> Response:
        truth.asked.append(f"{request.method} {unquote(request.url.path)}")
        headers = request.headers
        given = headers.get("private-token") or headers.get("authorization", "").partition(" ")[2]
        if given != TOKEN:
            return JSONResponse({"message": "Bad credentials"}, 401)
        if path.startswith("/api/v4") and b"/ann%2Fshop/" not in request.scope["raw_path"]:
            return missing()  # GitLab takes the path of a project as one segment
        if truth.away > 0:
            truth.away -= 1
            return JSONResponse({"message": "away"}, truth.away_status, {"retry-after": "0"})
        if unquote(request.url.path) in truth.answers:
            return JSONResponse(truth.answers[unquote(request.url.path)])
        body = await request.json() if method != "GET" else None
        found = answer(request, body) if method != "GET" else answer(request)
        return found if isinstance(found, Response) else JSONResponse(found)

    return Route(path, endpoint, methods=[method])


def missing() -> Response:
    return JSONResponse({"message": "Not Found"}, 404)


def paged(truth: Truth, request: Request, rows: list[Any], wrap: str = "") -> Response:
    """A page of rows, its successor in the header Link as all three forges tell it."""
    number = int(request.query_params.get("page", 1))
    shown = rows[(number - 1) * truth.page : number * truth.page]
    more = number * truth.page < len(rows)
    parameters = request.url.include_query_params(page=number + 1).query
    url = f"{request.base_url}{request.scope['raw_path'].decode()[1:]}?{parameters}"
    headers = {"link": f'<{url}>; rel="next"'} if more else {}
    body: Any = {wrap: shown, "total_count": len(rows)} if wrap else shown
    return JSONResponse(body, headers=headers)


class GitHubServer:
    """api.github.com, as far as Tradewind asks it; https://docs.github.com/rest."""

    kind = "github"
    CHECK_RUN = ("success", "failure", "neutral", "cancelled", "skipped", "timed_out")

    def __init__(self, truth: Truth) -> None:
        self.truth = truth

    def routes(self) -> list[Route]:
        at, truth = f"/repos/{PROJECT}", self.truth
        return [
            served(truth, at + "/pulls/{number:int}", self.pull),
            served(truth, at + "/pulls/{number:int}/reviews", self.reviews),
            served(truth, at + "/collaborators/{login}/permission", self.permission),
            served(truth, at + "/branches/{name:path}", self.branch),
            served(truth, at + "/rules/branches/{name:path}", self.rules),
            served(truth, at + "/compare/{range:path}", self.compare),
            served(truth, at + "/commits/{sha}/pulls", self.pulls),
            served(truth, at + "/commits/{sha}/check-runs", self.check_runs),
            served(truth, at + "/commits/{sha}/status", self.status),
            served(truth, at + "/statuses/{sha}", self.tell, "POST"),
            served(truth, at + "/deployments", self.deployments),
            served(truth, at + "/deployments", self.deploy, "POST"),
            served(truth, at + "/deployments/{id:int}/statuses", self.deployed, "POST"),
        ]

    def pull(self, request: Request) -> Any:
        found = self.truth.pulls.get(request.path_params["number"])
        return missing() if found is None else self._pull(found)

    def _pull(self, one: Pull) -> dict[str, Any]:
        return {
            "number": one.number, "state": "closed" if one.merged_as else "open",
            "html_url": f"https://forge/{PROJECT}/pull/{one.number}",
            "user": {"login": one.author, "type": "User"},
            "head": {"sha": one.head, "repo": {"full_name": PROJECT} if one.own else None},
            "base": {"ref": one.target}, "merged": bool(one.merged_as),
            "merged_at": "2026-11-24T10:00:00Z" if one.merged_as else None,
            "merge_commit_sha": one.merged_as or None,
        }  # fmt: skip

    def reviews(self, request: Request) -> Any:
        given = self.truth.pulls[request.path_params["number"]].approvals
        rows = [
            {
                "user": {"login": login, "type": "Bot" if login == BOT else "User"},
                "state": state, "commit_id": head, "official": official,
                "dismissed": False, "stale": False,
            }
            for login, head, official in given
            for state in (("COMMENTED", "APPROVED", "COMMENTED"))
        ]  # fmt: skip
        return paged(self.truth, request, rows)

    def permission(self, request: Request) -> Any:
        login = request.path_params["login"]
        if login not in self.truth.writers | self.truth.readers:
            return missing()
        return {"permission": "write" if login in self.truth.writers else "read"}

    def branch(self, request: Request) -> Any:
        name = request.path_params["name"]
        if name not in self.truth.branches:
            return missing()
        head, protected = self.truth.branches[name]
        return {"name": name, "protected": protected, "commit": {"sha": head, "id": head}}

    def rules(self, request: Request) -> Any:
        ruled = request.path_params["name"] in self.truth.ruled
        return [{"type": "pull_request", "ruleset_id": 1}] if ruled else []

    def compare(self, request: Request) -> Any:
        base, _, head = request.path_params["range"].partition("...")
        if head not in self.truth.parents:
            return missing()
        ahead = [one for one in self.truth.line(head) if one not in self.truth.line(base)]
        behind = [one for one in self.truth.line(base) if one not in self.truth.line(head)]
        words = {(0, 0): "identical", (0, 1): "behind", (1, 0): "ahead", (1, 1): "diverged"}
        status = words[(min(len(ahead), 1), min(len(behind), 1))]
        return {"status": status, "total_commits": len(ahead), "commits": []}

    def pulls(self, request: Request) -> Any:
        rows = [self._pull(one) for one in self.truth.merged(request.path_params["sha"])]
        return paged(self.truth, request, rows)

    def check_runs(self, request: Request) -> Any:
        rows = [
            {
                "name": name, "status": "completed" if state in self.CHECK_RUN else state,
                "conclusion": state if state in self.CHECK_RUN else None,
            }
            for commit, name, state in self.truth.checks
            if commit == request.path_params["sha"] and "/" not in name
        ]  # fmt: skip
        return paged(self.truth, request, rows, "check_runs")

    def status(self, request: Request) -> Any:
        rows = [
            {"context": name, "state": state, "status": state}
            for commit, name, state in self.truth.checks
            if commit == request.path_params["sha"] and (self.kind != "github" or "/" in name)
        ]
        return paged(self.truth, request, rows, "statuses")

    def tell(self, request: Request, body: dict[str, Any]) -> Any:
        if body["state"] not in ("error", "failure", "pending", "success"):
            return JSONResponse({"message": "Validation Failed"}, 422)
        if len(body["description"]) > 140:
            return JSONResponse({"message": "description is too long"}, 422)
        self.truth.told.append({"commit": request.path_params["sha"], **body})
        return JSONResponse({"id": len(self.truth.told)}, 201)

    def deployments(self, request: Request) -> Any:
        asked = request.query_params
        return [
            one
            for one in reversed(self.truth.deployments)
            if (one["sha"], one["environment"]) == (asked["sha"], asked["environment"])
        ]

    def deploy(self, request: Request, body: dict[str, Any]) -> Any:
        if body["auto_merge"] or body["required_contexts"]:
            return JSONResponse({"message": "Auto-merged"}, 202)
        made = {"id": len(self.truth.deployments) + 1, "sha": body["ref"], "states": []}
        self.truth.deployments.append({**body, **made})
        return JSONResponse(made, 201)

    def deployed(self, request: Request, body: dict[str, Any]) -> Any:
        if body["state"] not in ("error", "failure", "inactive", "in_progress", "success"):
            return JSONResponse({"message": "Validation Failed"}, 422)
        self.truth.deployments[request.path_params["id"] - 1]["states"].append(body["state"])
        return JSONResponse({"id": 1}, 201)


class GiteaServer(GitHubServer):
    """Gitea's /api/v1: GitHub's shapes but for the words and addresses that differ."""

    kind = "gitea"

    def routes(self) -> list[Route]:
        at, truth = f"/api/v1/repos/{PROJECT}", self.truth
        return [
            served(truth, at + "/pulls/{number:int}", self.pull),
            served(truth, at + "/pulls/{number:int}/reviews", self.reviews),
            served(truth, at + "/collaborators/{login}/permission", self.permission),
            served(truth, at + "/branches/{name:path}", self.branch),
            served(truth, at + "/compare/{range:path}", self.compare),
            served(truth, at + "/commits/{sha}/pull", self.pull_of),
            served(truth, at + "/commits/{sha}/status", self.status),
            served(truth, at + "/statuses/{sha}", self.tell, "POST"),
        ]

    def pull_of(self, request: Request) -> Any:
        found = self.truth.merged(request.path_params["sha"])
        return self._pull(found[0]) if found else missing()


class GitLabServer:
    """GitLab's /api/v4; https://docs.gitlab.com/api."""

    kind = "gitlab"

    def __init__(self, truth: Truth) -> None:
        self.truth = truth

    def routes(self) -> list[Route]:
        at, truth = f"/api/v4/projects/{PROJECT}", self.truth
        return [
            served(truth, at + "/merge_requests/{number:int}", self.merge_request),
            served(truth, at + "/merge_requests/{number:int}/approvals", self.approvals),
            served(truth, at + "/members/all", self.members),
            served(truth, at + "/repository/branches/{name:path}", self.branch),
            served(truth, at + "/repository/merge_base", self.merge_base),
            served(truth, at + "/repository/commits/{sha}/merge_requests", self.merged),
            served(truth, at + "/repository/commits/{sha}/statuses", self.statuses),
            served(truth, at + "/statuses/{sha}", self.tell, "POST"),
            served(truth, at + "/deployments", self.deployments),
            served(truth, at + "/deployments", self.deploy, "POST"),
            served(truth, at + "/deployments/{number:int}", self.change, "PUT"),
        ]

    def merge_request(self, request: Request) -> Any:
        found = self.truth.pulls.get(request.path_params["number"])
        return missing() if found is None else self._change(found)

    def _change(self, one: Pull) -> dict[str, Any]:
        return {
            "iid": one.number, "sha": one.head, "target_branch": one.target,
            "state": "merged" if one.merged_as else "opened",
            "source_project_id": 7 if one.own else 8, "target_project_id": 7,
            "author": {"username": one.author},
            "web_url": f"https://forge/{PROJECT}/-/merge_requests/{one.number}",
        }  # fmt: skip

    def approvals(self, request: Request) -> Any:
        """As a project that takes approvals back on a push: only those of the head are left."""
        one = self.truth.pulls[request.path_params["number"]]
        approving = [login for login, head, official in one.approvals if official]
        approving = [one for one in approving if one in self.truth.writers and one != BOT]
        heads = {login: head for login, head, _ in one.approvals}
        return {
            "iid": one.number, "approvals_required": 1,
            "approved_by": [
                {"user": {"username": login}} for login in approving if heads[login] == one.head
            ],
        }  # fmt: skip

    def members(self, request: Request) -> Any:
        levels = {
            **dict.fromkeys(self.truth.writers, 30),
            **dict.fromkeys(self.truth.readers, 20),
            "ann-too": 50,
        }
        rows = [
            {"username": login, "state": "active", "access_level": level}
            for login, level in sorted(levels.items())
            if request.query_params["query"] in login
        ]
        return paged(self.truth, request, rows)

    def branch(self, request: Request) -> Any:
        name = request.path_params["name"]
        if name not in self.truth.branches:
            return missing()
        head, protected = self.truth.branches[name]
        return {"name": name, "protected": protected, "commit": {"id": head}}

    def merge_base(self, request: Request) -> Any:
        newer, older = request.query_params.getlist("refs[]")
        if older not in self.truth.parents:
            return missing()
        shared = [one for one in self.truth.line(newer) if one in self.truth.line(older)]
        return {"id": shared[0]} if shared else {}

    def merged(self, request: Request) -> Any:
        rows = [self._change(one) for one in self.truth.merged(request.path_params["sha"])]
        return paged(self.truth, request, rows)

    def statuses(self, request: Request) -> Any:
        words = {"failure": "failed", "queued": "pending"}
        rows = [
            {"name": name, "status": words.get(state, state), "allow_failure": False}
            for commit, name, state in self.truth.checks
            if commit == request.path_params["sha"]
        ]
        return paged(self.truth, request, rows)

    def tell(self, request: Request, body: dict[str, Any]) -> Any:
        if body["state"] not in ("pending", "running", "success", "failed", "canceled"):
            return JSONResponse({"message": "state does not have a valid value"}, 400)
        said = {"commit": request.path_params["sha"], "context": body["name"], **body}
        if any(one == said for one in self.truth.told[-1:]):
            state = body["state"]
            message = f"Cannot transition status via :{state} from :{state}"
            return JSONResponse({"message": message}, 400)
        self.truth.told.append(said)
        return JSONResponse({"id": len(self.truth.told)}, 201)

    def deployments(self, request: Request) -> Any:
        place = request.query_params["environment"]
        return [one for one in reversed(self.truth.deployments) if one["environment"] == place]

    def deploy(self, request: Request, body: dict[str, Any]) -> Any:
        lacking = {"environment", "sha", "ref", "tag", "status"} - set(body)
        if lacking or body["status"] not in ("running", "success", "failed", "canceled"):
            return JSONResponse({"message": f"{lacking} or status is invalid"}, 400)
        number = len(self.truth.deployments) + 1
        self.truth.deployments.append({"id": number, "states": [body["status"]], **body})
        return JSONResponse({"id": number}, 201)

    def change(self, request: Request, body: dict[str, Any]) -> Any:
        one = self.truth.deployments[request.path_params["number"] - 1]
        if one["status"] not in ("created", "running"):
            return JSONResponse({"message": "cannot transition"}, 400)
        one["status"] = body["status"]
        one["states"].append(body["status"])
        return one


SERVERS = {"github": GitHubServer, "gitlab": GitLabServer, "gitea": GiteaServer}


@contextmanager
def listening(application: Any) -> Iterator[str]:
    """Serves an ASGI application on a free port of this machine; answers its address."""
    server = uvicorn.Server(
        uvicorn.Config(application, host="127.0.0.1", port=0, log_level="critical", lifespan="off")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + START_SECONDS
    while not server.started and time.monotonic() < deadline:
        thread.join(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(START_SECONDS)


def forge_server(kind: str, truth: Truth) -> Any:
    """A context that serves a forge of this kind and answers its address."""
    made: Any = SERVERS[kind](truth)
    return listening(Starlette(routes=made.routes()))
