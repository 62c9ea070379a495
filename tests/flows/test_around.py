"""Around a release: a push starts it, the forge and a chat hear of it, two people approve it."""

import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import httpx
import pytest

from blocks import prefect_runs as runs
from blocks.people import People
from deployments.people import key_of
from deployments.settings import write_secret
from deployments.stack.processes import until
from domain.access.people import Person
from domain.access.roles import Grant
from tests.blocks.forge_servers import TOKEN, Truth, forge_server
from tests.deployments.gateway.street import PASSWORD, free_port, sign_in
from tests.domain.forge import payloads
from tests.flows.world import Settings, World, opened, smallest

pytestmark = [pytest.mark.story, pytest.mark.timeout(400)]

RUN_SECONDS = 180.0
HOOK = "a secret of this webhook"


@dataclass
class Chat:
    """A webhook of our own that keeps what it is told."""

    heard: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        heard = self.heard

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                heard.append(json.loads(self.rfile.read(length)))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def titles(self) -> list[str]:
        return [str(one["title"]) for one in self.heard]


@pytest.fixture(scope="module")
def chat() -> Iterator[Chat]:
    made = Chat()
    yield made
    made.server.shutdown()


@pytest.fixture(scope="module")
def truth() -> Truth:
    return Truth()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, chat: Chat, truth: Truth) -> Iterator[World]:
    folder, stack = tmp_path_factory.mktemp("around") / "shop", ExitStack()
    secrets = folder / ".tradewind" / "secrets"
    write_secret(secrets / "forge", TOKEN)
    write_secret(secrets / "hook", HOOK)
    write_secret(secrets / "chat", f"json://127.0.0.1:{chat.server.server_port}/")
    with stack:
        endpoint = stack.enter_context(forge_server("gitea", truth))

        def guarded(settings: Settings) -> None:
            smallest(settings)
            port = free_port()
            settings["gateway"] = {"public_url": f"http://127.0.0.1:{port}", "port": port}
            settings["forge"] = {
                "kind": "gitea", "endpoint": endpoint, "project": "ann/shop",
                "token": "${file:secrets/forge}", "webhook_secrets": ["${file:secrets/hook}"],
                "rules": [{"event": "push", "branches": "main"}],
            }  # fmt: skip
            settings["notify"] = {"targets": {"chat": {"url": "${file:secrets/chat}"}}}
            production = settings["environments"]["production"]
            production |= {
                "canary": None,
                "approvals": {"signed": True, "quorum": 2, "releases": "always"},
            }

        opening = stack.enter_context(opened(folder, guarded))
        people = People(opening.live.ledger_url, key_of(opening.live.state))
        for name in ("bo", "cy"):
            people.add(Person(name, grants=(Grant("approver"),)), PASSWORD, "test")
        yield opening


def door(world: World) -> str:
    assert world.live.shop.gateway is not None
    return world.live.shop.gateway.origin


def pushed(world: World, signature: str = "") -> httpx.Response:
    commit = world.live.repository.resolve("main")
    about = {"after": commit, "before": payloads.ZEROS, "head_commit": {"id": commit}}
    name, body = payloads.push("gitea", **about)
    raw = json.dumps(body).encode()
    signed = signature or hmac.new(HOOK.encode(), raw, sha256).hexdigest()
    headers = {
        "content-type": "application/json", "x-gitea-event": name,
        "x-gitea-delivery": "d-1", "x-gitea-signature": signed,
    }  # fmt: skip
    shop = world.live.shop.shop
    return httpx.post(f"{door(world)}/hooks/{shop}", content=raw, headers=headers, timeout=30)


def approves(world: World, run: UUID, name: str) -> httpx.Response:
    """Signed in at the gateway, by the call that Prefect's page makes."""
    (approval,) = world.live.ledger.approvals.waiting()
    answer = {"decision": "approve now", "plan": approval.plan_digest}
    with httpx.Client(base_url=door(world), headers={"Origin": door(world)}, timeout=30) as client:
        assert sign_in(client, name).status_code == 303
        return client.post(f"/api/flow_runs/{run}/resume", json={"run_input": answer})


def test_a_push_that_is_not_signed_starts_nothing(world: World) -> None:
    assert pushed(world, "0" * 64).status_code == 401


def test_a_push_is_released_once_two_people_approved_it(
    world: World, chat: Chat, truth: Truth
) -> None:
    first, again = pushed(world), pushed(world)
    assert first.json() == again.json(), first.text
    run = UUID(first.json()["run"])
    assert runs.follow(run, RUN_SECONDS).waits

    one = approves(world, run, "bo")
    assert one.is_success, one.text
    assert until(lambda: slept_again(world, run), RUN_SECONDS)
    twice = approves(world, run, "bo")
    two = approves(world, run, "cy")

    assert twice.status_code == 403, "the same person counts once"
    assert two.is_success, two.text
    assert until(lambda: ended(world, run), RUN_SECONDS)
    release = world.release(run)
    assert release is not None
    assert (release.state, release.requested_by) == ("released", "ann")
    assert "success" in {str(one.get("state")) for one in truth.told}
    assert until(lambda: heard(chat, release.version) >= 3, RUN_SECONDS), "began, waits, done"
    assert world.live.ledger.verify() == ()


def slept_again(world: World, run: UUID) -> bool:
    """Once it has counted the first answer and asks the second person."""
    found = runs.state(run)
    statements = world.live.ledger.approvals.waiting()
    return found is not None and found.waits and len(statements) == 1


def ended(world: World, run: UUID) -> bool:
    release = world.release(run)
    return release is not None and release.finished_at is not None


def heard(chat: Chat, version: str) -> int:
    return sum(version in title for title in chat.titles)
